"""Patches of the old release on their sources; the sample was made by the public tool."""

import gzip
import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fornet_hf.errors import PatchFormatError, SourceError
from fornet_hf.release.legacy import LegacyArchive, LegacyPatch, apply, find_release, read_ratios

SAMPLE = Path(os.environ.get("FORNET_LEGACY_SAMPLE", Path(__file__).parents[3].parent / "shared" / "legacy_sample"))
needs_sample = pytest.mark.skipif(not SAMPLE.is_dir(), reason="the sample of the old release is not here")


def photo(width, height, mode="RGB", kind="PNG"):
    """A file of a smooth image, so that resizing it means something."""
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([x * 255 // width, y * 255 // height, (x + y) % 256], axis=2).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, kind)
    return file.getvalue()


def patch(difference=None, offset=None, mask=None):
    return LegacyPatch(difference, offset, mask)


def decibels(one, other):
    error = np.mean((one.astype(float) - other.astype(float)) ** 2)
    return 10 * np.log10(255**2 / max(error, 1e-9))


def sample_images():
    """Path of each patch's zip, its member and its split, by plain means."""
    for path in sorted((SAMPLE / "hub").glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                yield pytest.param(path, member, "val" if path.stem == "val" else "train", id=Path(member).name)


@needs_sample
@pytest.mark.parametrize(("path", "member", "split"), list(sample_images()))
def test_the_sample_comes_out_exactly(path, member, split):
    wnid, stem = Path(member).parent.name, Path(member).name.split(".")[0]
    source = (SAMPLE / "imagenet" / split / wnid / f"{stem}.JPEG").read_bytes()
    with LegacyArchive(path) as archive:
        image = apply(source, archive.read((wnid, stem)))

    with zipfile.ZipFile(path) as archive:
        data = archive.read(member)
    content = pickle.loads(gzip.decompress(data) if member.endswith(".gz") else data)
    (height, width), (x, y) = content["bg_diff"].shape[:2], content["fg_off"]
    raster = np.asarray(Image.open(io.BytesIO(source)).convert("RGB").resize((width, height))).astype(int)
    mask = content["fg_mask"][:, :, 0] == 1
    crop = raster[y : y + mask.shape[0], x : x + mask.shape[1]]
    np.testing.assert_array_equal(image.background, np.clip(raster + content["bg_diff"], 0, 255))
    np.testing.assert_array_equal(image.raster, raster)
    np.testing.assert_array_equal(image.foreground, crop)
    np.testing.assert_array_equal(image.mask, mask)
    assert image.offset == (x, y)

    expected = SAMPLE / "expected" / split
    with Image.open(expected / "backgrounds" / wnid / f"{stem}.JPEG") as background:
        assert decibels(np.asarray(background), image.background) > 30
    with Image.open(expected / "foregrounds" / wnid / f"{stem}.WEBP") as foreground:
        rgba = np.asarray(foreground)
    np.testing.assert_array_equal(rgba[:, :, 3], 255 * image.mask)
    # the encoder is free in what it stores where nothing is seen
    assert decibels(rgba[:, :, :3][image.mask], image.foreground[image.mask]) > 30


@needs_sample
def test_the_sample_has_a_ratio_for_every_patch():
    release = find_release([path.name for path in (SAMPLE / "hub").iterdir()])
    for split in ("train", "validation"):
        stems = set()
        for name in release.archives(split):
            with LegacyArchive(SAMPLE / "hub" / name) as archive:
                stems.update(stem for _, stem in archive)
        assert set(read_ratios(SAMPLE / "hub" / release.ratios(split))) == stems


def test_the_sum_is_clipped():
    difference = np.zeros((2, 2, 3), np.int16)
    difference[0], difference[1] = 255, -255
    background = apply(photo(2, 2), patch(difference)).background
    assert background.dtype == np.uint8
    assert (background[0] == 255).all()
    assert (background[1] == 0).all()


def test_the_source_takes_the_size_of_the_difference():
    image = apply(photo(40, 30), patch(np.zeros((15, 20, 3), np.int16)))
    expected = Image.open(io.BytesIO(photo(40, 30))).resize((20, 15))
    np.testing.assert_array_equal(image.background, np.asarray(expected))
    assert image.foreground is None


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((640, 543), (512, 434)),
        ((543, 640), (434, 512)),
        ((512, 9), (512, 9)),
        ((30, 20), (30, 20)),
        ((2000, 1), (512, 1)),
    ],
)
def test_without_a_difference_only_the_long_side_counts(size, expected):
    image = apply(photo(*size), patch(offset=(0, 0), mask=np.ones((1, 1), bool)))
    assert image.raster.shape == (expected[1], expected[0], 3)
    assert image.background is None


def test_gray_sources_become_colour():
    image = apply(photo(8, 6, "L"), patch(offset=(5, 2), mask=np.ones((4, 3), bool)))
    np.testing.assert_array_equal(image.foreground, image.raster[2:6, 5:8])
    assert image.foreground.shape == (4, 3, 3)


@pytest.mark.parametrize("offset", [(6, 2), (5, 3), (10**30, 0)])
def test_a_mask_outside_of_the_image_is_named(offset):
    with pytest.raises(PatchFormatError) as error:
        apply(photo(8, 6), patch(offset=offset, mask=np.ones((4, 3), bool)))
    assert f"3 x 4 at {offset}" in str(error.value)
    assert "8 x 6" in str(error.value)


def test_an_undecodable_source_is_named():
    with pytest.raises(SourceError, match="5 bytes"):
        apply(b"hello", patch(np.zeros((2, 2, 3), np.int16)))
