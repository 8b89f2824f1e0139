"""Making and applying a patch: exact for every image."""

import dataclasses
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fornet_hf.errors import EmptyMaskError, IntegrityError, PatchFormatError, SourceError
from fornet_hf.format import jpeg
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.jpeg import Rectangle
from fornet_hf.format.masks import decode_mask, dilate
from fornet_hf.format.patch import Patch, apply_patch, make_patch
from fornet_hf.format.raster import canonical_raster
from tests.format.test_raster import FILES, gray16
from tests.images import ENCODING, disc, file_of, infilled, made_image, patch_of


def check_exact(source, mask, encoding=ENCODING):
    """Make, apply, and compare everything with its definition; the row."""
    raster = canonical_raster(source, encoding.max_side)
    pixels, fill = np.asarray(raster), infilled(source, encoding)
    row = apply_patch(source, patch_of(source, mask, encoding=encoding), encoding)
    hole = dilate(mask, encoding.dilation)
    assert row.background == jpeg.encode(Image.fromarray(np.where(hole[..., None], fill, pixels)))
    x0, y0, x1, y1 = row.box
    assert Image.open(io.BytesIO(row.foreground)).size == (x1 - x0, y1 - y0)
    whole = np.zeros_like(mask)
    whole[y0:y1, x0:x1] = decode_mask(row.mask, (x1 - x0, y1 - y0))
    assert np.array_equal(whole, mask)
    assert row.foreground_ratio == pytest.approx(mask.mean(), abs=1e-6)
    area = Rectangle.around(row.box, raster.size)
    assert jpeg.splice(row.background, row.foreground, area) == jpeg.encode(raster)
    return row


@st.composite
def masked_images(draw):
    size = draw(st.tuples(st.integers(1, 200), st.integers(1, 200)))
    source = file_of(made_image(*size, seed=draw(st.integers(0, 9))), draw(st.sampled_from(["JPEG", "PNG"])))
    width, height = canonical_raster(source, ENCODING.max_side).size
    kind = draw(st.sampled_from(["pixel", "ragged", "box"]))
    mask = np.zeros((height, width), bool)
    if kind == "ragged":
        density = draw(st.floats(0, 1))
        mask = np.random.default_rng(draw(st.integers(0, 99))).random(mask.shape) < density
    x, y = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    mask[y : y + (1 if kind == "pixel" else 30), x : x + (1 if kind == "pixel" else 30)] = True
    return source, mask


@given(masked_images(), st.sampled_from([0, 5, 18]))
def test_applying_gives_background_mask_and_foreground_exactly(case, dilation):
    check_exact(*case, Encoding(max_side=128, dilation=dilation))


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (5000, 3), (3, 5000), (17, 31), (512, 512), (700, 511), (16, 16)])
@pytest.mark.parametrize("kind", ["pixel", "all", "disc"])
def test_every_size_with_every_kind_of_mask(size, kind):
    source = file_of(made_image(*size), "PNG")
    raster = canonical_raster(source, 512).size
    mask = disc(*raster)
    if kind != "disc":
        mask[:] = kind == "all"
        mask[-1, -1] = True
    row = check_exact(source, mask, Encoding())
    assert max(raster) <= 512
    if kind == "all":
        assert row.box == (0, 0, *raster)
        assert row.foreground_ratio == 1


exif = Image.Exif()
exif[0x0112] = 8
SOURCES = {
    **{name: data for name, (data, _) in FILES.items()},
    "16-bit": file_of(gray16(), "PNG"),
    "exif-rotated": file_of(made_image(40, 20), exif=exif),
    "corrupt-exif": file_of(made_image(40, 20), exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"),
    "corrupt-xmp": file_of(made_image(40, 20), xmp=b"<x:xmpmeta"),
    "icc": file_of(made_image(40, 20), icc_profile=b"no profile"),
    "progressive": file_of(made_image(40, 20), progressive=True),
    "bytes-behind": file_of(made_image(40, 20)) + b"garbage",
}


@pytest.mark.parametrize("name", SOURCES)
def test_every_kind_of_source_file(name):
    source = SOURCES[name]
    check_exact(source, disc(*canonical_raster(source, 128).size))


def test_an_empty_mask_is_its_own_error():
    source = file_of(made_image(40, 30))
    with pytest.raises(EmptyMaskError, match="no foreground"):
        patch_of(source, np.zeros((30, 40), bool))


@pytest.mark.parametrize(
    ("mask", "fill"),
    [
        (np.ones((40, 30), bool), None),
        (np.ones((30, 40), np.uint8), None),
        (None, np.zeros((30, 40), np.uint8)),
        (None, np.zeros((30, 40, 3), np.float32)),
    ],
    ids=["mask-turned", "mask-not-bool", "infilled-gray", "infilled-float"],
)
def test_arrays_that_do_not_fit_are_refused(mask, fill):
    source = file_of(made_image(40, 30))
    mask = np.ones((30, 40), bool) if mask is None else mask
    fill = infilled(source) if fill is None else fill
    with pytest.raises(PatchFormatError, match="does not fit the raster"):
        make_patch(source, mask, fill, key="a", label=0, encoding=ENCODING)


def test_pixels_outside_of_the_dilated_mask_are_not_used():
    source = file_of(made_image(90, 70))
    mask = disc(90, 70)
    fill = infilled(source).copy()
    one = make_patch(source, mask, fill, key="a", label=0, encoding=ENCODING)
    fill[~dilate(mask, ENCODING.dilation)] = 77
    assert make_patch(source, mask, fill, key="a", label=0, encoding=ENCODING) == one


def test_a_patch_without_foreground_or_without_background_applies():
    source = file_of(made_image(90, 70))
    patch = patch_of(source)
    row = apply_patch(source, dataclasses.replace(patch, box=None, mask=None, foreground_ratio=0.0), ENCODING)
    assert (row.foreground, row.mask, row.box) == (None, None, None)
    assert row.background
    row = apply_patch(source, dataclasses.replace(patch, delta=None, target_sha256=None), ENCODING)
    assert row.background is None
    assert row.foreground


def test_small_changes_make_small_patches():
    source = file_of(made_image(128, 128), quality=95)
    mask = np.zeros((128, 128), bool)
    mask[60:64, 60:64] = True
    assert len(patch_of(source, mask).delta) < 0.15 * len(jpeg.encode(canonical_raster(source, 128)))


def test_a_wrong_source_is_named_with_both_digests():
    patch = patch_of(file_of(made_image(40, 30)))
    with pytest.raises(IntegrityError, match=r"not the one.*sha256 .* of .* bytes; allowed: sha256"):
        apply_patch(file_of(made_image(40, 30, seed=1)), patch, ENCODING)


def test_another_decoder_is_told_from_a_damaged_patch(monkeypatch):
    source = file_of(made_image(40, 30))
    patch = patch_of(source)
    monkeypatch.setattr("fornet_hf.format.patch.canonical_raster", lambda *_: made_image(40, 30, seed=5))
    with pytest.raises(IntegrityError, match=r"prediction differs.*Pillow"):
        apply_patch(source, patch, ENCODING)


def test_an_undecodable_source_is_a_source_error():
    with pytest.raises(SourceError):
        patch_of(b"no image", np.ones((1, 1), bool))


GOOD = patch_of(file_of(made_image(90, 70)))


@pytest.mark.parametrize(
    "key", ["", ".hidden", "..", "a/b", "a\\b", "a\0b", "a:b", "a\nb", "x" * 256, None, 'a"b', "a*", "a?", "<a>", "|"]
)
def test_keys_that_are_no_plain_names_are_refused(key):
    with pytest.raises(PatchFormatError, match="key"):
        dataclasses.replace(GOOD, key=key)


@pytest.mark.parametrize(
    "changes",
    [
        {"label": -1},
        {"width": 0},
        {"height": 4097},
        {"foreground_ratio": float("nan")},
        {"foreground_ratio": 1.5},
        {"foreground_ratio": -0.1},
        {"source_sha256": b""},
        {"prediction_sha256": None},
        {"target_sha256": b"x" * 31},
        {"box": None},
        {"mask": None},
        {"delta": None},
        {"target_sha256": None},
        {"delta": bytes(2**24 + 1)},
        {"box": None, "mask": None, "delta": None, "target_sha256": None},
        {"box": None, "mask": None},
        {"box": (0, 0, 96, 70)},
        {"box": (0, 0, 0, 16)},
        {"box": (16, 0, 0, 16)},
        {"box": (1, 0, 16, 16)},
        {"box": (0, 0, 17, 16)},
        {"box": (-16, 0, 16, 16)},
        {"box": (0, 0, 90, 80)},
    ],
    ids=lambda value: str(value)[:40],
)
def test_parts_that_do_not_follow_the_format_are_refused(changes):
    with pytest.raises(PatchFormatError):
        dataclasses.replace(GOOD, **changes)


def test_a_patch_is_a_value():
    assert patch_of(file_of(made_image(90, 70))) == GOOD
    assert isinstance(GOOD, Patch)
