"""import_release.py on the sample of the old release, which was made by the public tool."""

import io
import json
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import export_ratios
from fornet_hf.format import jpeg
from fornet_hf.format.manifest import read_manifest
from fornet_hf.format.masks import decode_mask, dilate
from fornet_hf.format.patch import apply_patch
from fornet_hf.format.raster import canonical_raster
from fornet_hf.format.shards import PatchShard
from fornet_hf.release.legacy import LegacyArchive, apply
from import_release import main

SAMPLE = Path(os.environ.get("FORNET_LEGACY_SAMPLE", Path(__file__).parents[2].parent / "shared" / "legacy_sample"))
pytestmark = pytest.mark.skipif(not SAMPLE.is_dir(), reason="the sample of the old release is not here")


def run(release, out, *more, images=SAMPLE / "imagenet"):
    return main([str(release), str(images), str(out), "--workers", "1", *more])


def rows(out, images=SAMPLE / "imagenet"):
    """Each row of a release with its source, mask of the whole image, and background."""
    manifest = read_manifest(out / "patches")
    for entries in manifest.splits.values():
        for entry in entries:
            shard = PatchShard(out / "patches" / entry.path, entry.path)
            for number, key in enumerate(shard.keys):
                (path,) = images.rglob(f"{key}.JPEG")
                source = path.read_bytes()
                row = apply_patch(source, shard[number], shard.encoding)
                x0, y0, x1, y1 = row.box
                mask = np.zeros((shard[number].height, shard[number].width), bool)
                mask[y0:y1, x0:x1] = decode_mask(row.mask, (x1 - x0, y1 - y0))
                yield key, source, mask, row


def published():
    """Arrays of the old release by key: mask of the whole image, and background."""
    parts = {}
    for path in sorted((SAMPLE / "hub").glob("*.zip")):
        split = "val" if path.stem == "val" else "train"
        with LegacyArchive(path) as archive:
            for wnid, key in archive:
                source = (SAMPLE / "imagenet" / split / wnid / f"{key}.JPEG").read_bytes()
                image = apply(source, archive.read((wnid, key)))
                mask = np.zeros(image.background.shape[:2], bool)
                (x, y), (h, w) = image.offset, image.mask.shape
                mask[y : y + h, x : x + w] = image.mask
                parts[key] = mask, image.background
    return parts


def encoded(pixels):
    return jpeg.encode(Image.fromarray(pixels))


def test_old_patches_come_over_with_their_masks_and_whole_backgrounds_exactly(tmp_path, capsys):
    assert run(SAMPLE / "hub", tmp_path, "--whole") == 0
    expected, found = published(), list(rows(tmp_path))
    assert sorted(key for key, *_ in found) == sorted(expected)
    for key, _, mask, row in found:
        assert np.array_equal(mask, expected[key][0])
        assert row.background == encoded(expected[key][1])
    assert "18 ok, 0 no_detect, 0 error" in capsys.readouterr().out


def test_by_default_only_the_infilled_part_of_a_background_is_taken(tmp_path):
    assert run(SAMPLE / "hub", tmp_path) == 0
    expected = published()
    for key, source, mask, row in rows(tmp_path):
        old_mask, old_background = expected[key]
        original = np.asarray(canonical_raster(source, 512))
        assert np.array_equal(mask, old_mask)
        assert row.background == encoded(np.where(dilate(mask, 18)[..., None], old_background, original))


@pytest.fixture(params=["folders", "zips"])
def files(request, tmp_path):
    """A ForNet as the public tools lay it out."""
    root = tmp_path / "fornet"
    shutil.copytree(SAMPLE / "expected", root)
    if request.param == "zips":
        for split in ("train", "val"):
            for kind in ("foregrounds", "backgrounds"):
                with zipfile.ZipFile(root / f"{kind}_{split}.zip", "w") as archive:
                    for path in sorted((root / split / kind).rglob("*.*")):
                        archive.write(path, path.relative_to(root))
            shutil.rmtree(root / split)
    return root


def test_foregrounds_in_files_are_placed_where_they_came_from(files, tmp_path):
    assert run(files, tmp_path / "out") == 0
    expected = published()
    found = {key: mask for key, _, mask, _ in rows(tmp_path / "out")}
    assert sorted(found) == sorted(expected)
    for key, mask in found.items():
        assert np.array_equal(mask, expected[key][0]), key


def test_what_does_not_fit_is_reported_and_the_rest_comes_over(tmp_path, capsys):
    root = tmp_path / "fornet"
    shutil.copytree(SAMPLE / "expected" / "val", root / "val")
    foregrounds = sorted((root / "val" / "foregrounds").rglob("*.WEBP"))
    with Image.open(foregrounds[0]) as image:
        wrong = np.asarray(image.convert("RGBA")).copy()
    wrong[..., :3] = 255 - wrong[..., :3]
    Image.fromarray(wrong).save(foregrounds[0], quality=90)
    foregrounds[1].write_bytes(b"no image")
    foregrounds[2].unlink()
    assert run(root, tmp_path / "out") == 0
    assert "6 ok, 1 no_detect, 2 error" in capsys.readouterr().out
    lost = {one["key"]: one["kind"] for one in json.loads((tmp_path / "out" / "report.json").read_text())["lost"]}
    assert [lost[path.stem] for path in foregrounds[:3]] == [
        "MismatchError",
        "PatchFormatError",
        "not in the release",
    ]


def test_a_missing_release_is_named(tmp_path, capsys):
    assert run(tmp_path / "nothing", tmp_path / "out") == 1
    assert "nothing: no such split of a release" in capsys.readouterr().err


def test_the_ratios_are_exported_for_the_public_tools(tmp_path):
    run(SAMPLE / "hub", tmp_path / "out")
    assert export_ratios.main([str(tmp_path / "out" / "patches"), str(tmp_path / "ratios")]) == 0
    for name in ("fg_bg_ratios_train.json", "fg_bg_ratios_val.json"):
        expected = json.loads((SAMPLE / "hub" / name).read_text())
        found = json.loads((tmp_path / "ratios" / name).read_text())
        assert found == pytest.approx(expected, abs=1e-6)


def test_images_larger_than_the_raster_come_over_at_its_size(tmp_path):
    """The old tool did not have to shrink: here the release is of 640 pixels, the raster of 512."""
    root, wnid, key = tmp_path / "fornet", "n01440764", "n01440764_7"
    (source,) = list((SAMPLE / "imagenet" / "val").rglob("ILSVRC2012_val_00000009.JPEG"))
    with Image.open(source) as image:
        large = image.convert("RGB").resize((640, 480))
    buffer = io.BytesIO()
    large.save(buffer, "JPEG", quality=95)
    (tmp_path / "imagenet" / "train" / wnid).mkdir(parents=True)
    (tmp_path / "imagenet" / "train" / wnid / f"{key}.JPEG").write_bytes(buffer.getvalue())
    pixels = np.asarray(Image.open(buffer))
    for kind in ("foregrounds", "backgrounds"):
        (root / "train" / kind / wnid).mkdir(parents=True)
    cut = np.dstack([pixels[100:300, 200:420], np.full((200, 220), 255, np.uint8)])
    Image.fromarray(cut).save(root / "train" / "foregrounds" / wnid / f"{key}.WEBP", quality=90)
    Image.fromarray(pixels).save(root / "train" / "backgrounds" / wnid / f"{key}.JPEG")
    assert run(root, tmp_path / "out", images=tmp_path / "imagenet") == 0
    ((_, _, mask, row),) = rows(tmp_path / "out", tmp_path / "imagenet")
    assert mask.shape == (384, 512)
    assert row.foreground_ratio == pytest.approx(200 * 220 / (640 * 480), rel=0.02)
