"""Samples become a release: loaded, recombined, with classes beyond ImageNet."""

import numpy as np
import pytest
from PIL import Image

import fornet_hf
from fornet_hf.errors import ConfigurationError
from fornet_hf.format import jpeg
from fornet_hf.format.manifest import read_manifest
from fornet_hf.format.rows import open_image
from producers.layers.release import LayersSettings, layers_shard
from producers.layers.written import BACKGROUNDS, EMPTY, FULL, IMAGES, MASKS, SampleFolder, write_samples
from producers.work.remaining import make_release
from tests.build.layers.drawn_samples import drawn_sample

KINDS = (IMAGES, MASKS, BACKGROUNDS)


def write(root, count, name="disc", kinds=KINDS, first=0):
    numbers = range(first, first + count)
    write_samples(SampleFolder(root, name, kinds), [(number, drawn_sample(number)) for number in numbers])


def release(root):
    return make_release(
        layers_shard,
        root / IMAGES,
        ["train"],
        LayersSettings(folder=root, made_with={"disc": {"seed": 0}}),
        root,
        shards=None,
        workers=1,
        source="samples",
        revision=None,
    )


def load(root, **options):
    places = {"patches": root / "patches", "imagenet_dir": root / IMAGES, "cache_dir": root / "cache"}
    return fornet_hf.load_dataset(split="train", **places, **options)


def test_rows_have_the_layers_of_the_generator(tmp_path):
    write(tmp_path, 4)
    assert release(tmp_path).ok == 4
    row, sample = load(tmp_path)[2], drawn_sample(2)
    assert row["key"] == "disc_000002"
    assert np.abs(np.asarray(row["background"]).astype(int) - sample.background).mean() < 6  # JPEG, on stripes
    x0, y0, x1, y1 = row["box"]
    assert np.array_equal(np.asarray(row["mask"]), sample.mask[y0:y1, x0:x1])
    assert row["foreground_ratio"] == pytest.approx(sample.mask.mean())
    colours = np.asarray(open_image(row["foreground"]))[np.asarray(row["mask"])].mean(0)
    assert np.abs(colours - sample.image[sample.mask].mean(0)).max() < 12


def test_the_background_is_the_generators_far_from_the_object_too(tmp_path):
    """Where the mask is below a half, a bit of the foreground is in the image, but not in its background."""
    sample = drawn_sample(2, side=96)
    sample.image[:8, :8] = sample.image[:8, :8] // 2 + sample.foreground[:8, :8] // 2
    write_samples(SampleFolder(tmp_path, "disc", KINDS), [(2, sample)])
    release(tmp_path)
    expected = np.asarray(open_image(jpeg.encode(Image.fromarray(sample.background))))
    assert np.array_equal(np.asarray(load(tmp_path)[0]["background"]), expected)


def test_classes_beyond_imagenet_are_labels_and_rows_recombine(tmp_path):
    write(tmp_path, 3, "disc")
    write(tmp_path, 2, "ball", first=20)
    assert release(tmp_path).ok == 5
    ds = load(tmp_path)
    names = ds.features["label"]
    assert names.names == ["ball", "disc"]
    assert [names.int2str(label) for label in ds["label"]] == ["ball", "ball", "disc", "disc", "disc"]
    ds.set_transform(fornet_hf.Recombine(ds, crop=32, background_combination="all", seed=0))
    assert {np.asarray(row["image"]).shape for row in ds} == {(32, 32, 3)}


def test_samples_without_an_object_or_a_ground_are_left_out_and_counted(tmp_path):
    write(tmp_path, 10)
    assert release(tmp_path).reasons() == {f"no_detect: {EMPTY}": 1, f"no_detect: {FULL}": 1}
    assert len(load(tmp_path)) == 8


def test_a_sample_without_a_background_is_reported(tmp_path):
    write(tmp_path, 1, kinds=(IMAGES, MASKS))
    write(tmp_path, 1, first=1)
    report = release(tmp_path)
    assert (report.ok, report.reasons()) == (1, {"error: FileNotFoundError": 1})
    assert "backgrounds" in report.lost[0].detail


def test_a_mask_of_another_size_is_reported(tmp_path):
    write(tmp_path, 2)
    Image.fromarray(np.full((8, 8), 255, np.uint8)[:, :4]).save(tmp_path / MASKS / "disc_000000.png")
    Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(tmp_path / MASKS / "disc_000001.png")
    with pytest.raises(ConfigurationError, match="no image gave a patch"):
        release(tmp_path)


def test_the_manifest_says_how_samples_were_made(tmp_path):
    write(tmp_path, 1)
    release(tmp_path)
    manifest = read_manifest(tmp_path / "patches")
    assert manifest.classes == ("disc",)
    assert manifest.producer["tool"] == "sample_layers"
    assert manifest.producer["samples"] == {"disc": {"seed": 0}}
