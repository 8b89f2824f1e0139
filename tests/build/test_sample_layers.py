"""sample_layers.py with a tiny generator: folders for a segmenter, and a labelled set with patches."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")
pytest.importorskip("safetensors")
pytest.importorskip("cv2")

import fornet_hf  # noqa: E402
import sample_layers  # noqa: E402
import train_segmenter  # noqa: E402
from fornet_hf.format.manifest import read_manifest  # noqa: E402
from producers.segment.networks.files import read_card  # noqa: E402
from producers.training.run import TrainingRun  # noqa: E402
from tests.blocks import ROOT  # noqa: E402
from tests.build.layers.tiny_generator import write_tiny  # noqa: E402
from tests.killing import wait_until  # noqa: E402
from tests.one_thread import one_thread  # noqa: E402

__all__ = ["one_thread"]


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return write_tiny(tmp_path_factory.mktemp("generator") / "000001.safetensors")


def sample(*words):
    return sample_layers.main([*map(str, words), "--device", "cpu", "--workers", "1"])


def pixels(folder):
    return {path.relative_to(folder): np.asarray(Image.open(path)) for path in sorted(folder.rglob("*.png"))}


def alike(some, others):
    """Whether files differ by a level at most, and that seldom: a batch of another size rounds another way."""
    pairs = [(one.astype(int), others[name]) for name, one in some.items()]
    worst, mean = (max(one) for one in zip(*((abs(a - b).max(), abs(a - b).mean()) for a, b in pairs), strict=True))
    return worst <= 1 and mean < 0.01


def test_images_with_masks_train_a_segmenter(generator, tmp_path, capsys):
    assert sample(generator, tmp_path / "made", "--count", 12) == 0
    assert capsys.readouterr().out.startswith("12 samples made")
    words = [tmp_path / "made" / "images", tmp_path / "made" / "masks", tmp_path / "unet"]
    quick = ["--preset", "layers", "--widths", "4,8", "--side", "16", "--batch-size", "4", "--steps", "2"]
    assert train_segmenter.main([*map(str, words), *quick, "--device", "cpu", "--precision", "float32"]) == 0
    assert sum(read_card(tmp_path / "unet" / "segmenter.safetensors").trained["pairs"].values()) == 12


def test_a_labelled_set_with_patches_is_loaded_and_recombined(generator, tmp_path, capsys):
    other = write_tiny(tmp_path / "other.safetensors", seed=1)
    assert sample(generator, tmp_path / "made", "--count", 3, "--class", "bird", "--layers") == 0
    assert sample(other, tmp_path / "made", "--count", 2, "--class", "red_fox", "--patches") == 0
    assert "patches: 5 images: 5 ok" in capsys.readouterr().out
    assert {*read_manifest(tmp_path / "made" / "patches").producer["samples"]} == {"bird", "red_fox"}
    ds = fornet_hf.load_dataset(
        patches=tmp_path / "made" / "patches",
        imagenet_dir=tmp_path / "made" / "images",
        cache_dir=tmp_path / "cache",
        split="train",
    )
    assert [ds.features["label"].int2str(label) for label in ds["label"]] == ["bird"] * 3 + ["red_fox"] * 2
    ground = np.asarray(Image.open(tmp_path / "made" / "backgrounds" / "bird_000001.png")).astype(int)
    assert np.abs(np.asarray(ds[1]["background"]) - ground).mean() < 12  # JPEG, of noise
    ds.set_transform(fornet_hf.Recombine(ds, crop=16, background_combination="all", seed=0))
    assert {np.asarray(row["image"]).shape for row in ds} == {(16, 16, 3)}


def test_a_sample_depends_on_its_number_alone(generator, tmp_path, capsys):
    assert sample(generator, tmp_path / "whole", "--count", 5, "--layers") == 0
    assert sample(generator, tmp_path / "parts", "--count", 1, "--first", 3, "--layers") == 0
    assert sample(generator, tmp_path / "parts", "--count", 5, "--layers", "--batch-size", 2) == 0
    assert "4 samples made, 1 were there" in capsys.readouterr().out
    whole, parts = (pixels(tmp_path / name) for name in ("whole", "parts"))
    assert len(whole) == 20
    assert list(whole) == list(parts)
    assert alike(whole, parts)


def test_a_run_that_is_killed_goes_on(generator, tmp_path):
    words = [generator, tmp_path / "made", "--count", 2000, "--batch-size", 4]
    command = [sys.executable, ROOT / "build" / "sample_layers.py", *map(str, words), "--device", "cpu"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    masks = tmp_path / "made" / "masks"
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: masks.is_dir() and len([*masks.glob("*.png")]) > 8)
        process.kill()
    before = len([*masks.glob("*.png")])
    assert before < 2000
    assert sample(*words[:2], "--count", before + 4) == 0
    assert len(pixels(masks)) == before + 4
    assert {path.name for path in masks.iterdir()} == {path.name for path in masks.glob("*.png")}
    assert sample(generator, tmp_path / "whole", "--count", before + 4) == 0
    assert alike(pixels(masks), pixels(tmp_path / "whole" / "masks"))


def test_masks_that_are_empty_or_full_are_counted_and_have_no_patch(tmp_path, capsys):
    empty, full = (write_tiny(tmp_path / f"{bias}.safetensors", mask_bias=bias) for bias in (-99.0, 99.0))
    assert sample(full, tmp_path / "made", "--count", 2, "--class", "full", "--patches") == 1
    assert "no image gave a patch" in capsys.readouterr().err
    assert sample(empty, tmp_path / "some", "--count", 2, "--class", "empty") == 0
    assert "2 samples made, 2 with an empty mask" in capsys.readouterr().out
    assert len(pixels(tmp_path / "some" / "images")) == 2


def test_other_settings_are_refused_where_samples_lie(generator, tmp_path, capsys):
    other = write_tiny(tmp_path / "other.safetensors", seed=1)
    assert sample(generator, tmp_path / "made", "--count", 1) == 0
    for words in (["--seed", 1], ["--truncation", 0.5]):
        assert sample(generator, tmp_path / "made", "--count", 2, *words) == 1
        assert "object.json: begun with other settings" in capsys.readouterr().err
    assert sample(other, tmp_path / "made", "--count", 2) == 1
    assert sample(other, tmp_path / "made", "--count", 2, "--class", "another") == 0
    assert {*json.loads((tmp_path / "made" / "samples" / "object.json").read_text())} >= {"sha256", "seed"}


def test_of_a_training_the_best_generator_is_taken(tmp_path, capsys):
    training = tmp_path / "training"
    for kimg, fid in ((1, 20.0), (2, 10.0)):
        write_tiny(training / "generators" / f"{kimg:06}.safetensors", seed=kimg)
        TrainingRun(training).note(kimg, kimg=kimg, kept=True, fid=fid)
    for name, words in {"best": [], "early": ["--until-kimg", 1]}.items():
        assert sample(training, tmp_path / "made", "--count", 1, "--class", name, *words) == 0
    notes = (tmp_path / "made" / "samples" / f"{name}.json" for name in ("best", "early"))
    assert [json.loads(note.read_text())["generator"] for note in notes] == [
        "000002.safetensors",
        "000001.safetensors",
    ]
    assert sample(tmp_path, tmp_path / "none", "--count", 1) == 1
    assert "there is no generator" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--shift", "-1"], "--shift is not allowed; found -1.0; allowed: 0 to 1"),
        (["--truncation", "1.5"], "--truncation is not allowed; found 1.5; allowed: 0 to 1"),
        (["--class", "a/b"], "class"),
        (["--class", "a:b"], "--class is not allowed"),
        (["--until-kimg", "3"], "--until-kimg chooses from a training"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(generator, tmp_path, capsys, more, message):
    assert sample(generator, tmp_path / "made", "--count", 1, *more) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "made").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_said_before_anything_is_written(generator, tmp_path, capsys):
    assert sample_layers.main([str(generator), str(tmp_path / "made"), "--count", "1"]) == 1
    assert "torch sees no GPU" in capsys.readouterr().err
    assert not (tmp_path / "made").exists()
