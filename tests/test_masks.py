"""Masks: boxes, dilation, 1-bit PNG."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from fornet_hf.errors import EmptyMaskError, PatchFormatError
from fornet_hf.masks import bounding_box, decode_mask, dilate, encode_mask, open_mask
from tests.pictures import file_of, picture
from tests.test_raster import png_header

masks = arrays(np.bool_, st.tuples(st.integers(1, 40), st.integers(1, 40)))


def dilated_by_definition(mask, radius):
    result = np.zeros_like(mask)
    for y, x in zip(*np.nonzero(mask), strict=True):
        result[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1] = True
    return result


@given(masks, st.sampled_from([0, 1, 2, 5, 18, 100]))
def test_dilation_is_a_square_around_every_pixel(mask, radius):
    assert np.array_equal(dilate(mask, radius), dilated_by_definition(mask, radius))


@given(masks)
def test_the_box_is_the_smallest(mask):
    if not mask.any():
        with pytest.raises(EmptyMaskError, match="no pixel"):
            bounding_box(mask)
        return
    x0, y0, x1, y1 = bounding_box(mask)
    inner = mask[y0:y1, x0:x1]
    assert inner.sum() == mask.sum()
    assert inner[0].any()
    assert inner[-1].any()
    assert inner[:, 0].any()
    assert inner[:, -1].any()


@given(masks)
def test_png_gives_the_mask_back(mask):
    assert np.array_equal(decode_mask(encode_mask(mask), mask.shape[::-1]), mask)


def test_masks_that_are_views_can_be_written():
    mask = np.eye(20, dtype=bool)
    assert np.array_equal(decode_mask(encode_mask(mask[::2, 1::3]), (7, 10)), mask[::2, 1::3])


GOOD = encode_mask(np.ones((8, 8), bool))
WRONG = {
    "nothing": b"",
    "cut": GOOD[:-20],
    "without its last byte": GOOD[:-1],
    "without its last chunk": GOOD[:-12],
    "bytes behind": GOOD + b"!",
    "two pictures": GOOD + GOOD,
    "other size": encode_mask(np.ones((8, 9), bool)),
    "gray": file_of(picture(8, 8).convert("L"), "PNG"),
    "rgb": file_of(picture(8, 8), "PNG"),
    "jpeg": file_of(picture(8, 8)),
    "bomb": png_header(60_000, 60_000),
    "one bit": GOOD[:45] + bytes([GOOD[45] ^ 1]) + GOOD[46:],
    "one bit of what Pillow does not read": GOOD[:-17] + bytes([GOOD[-17] ^ 1]) + GOOD[-16:],
    "chunk beyond the end": GOOD[:-12] + b"\xff" + GOOD[-11:],
}


@pytest.mark.parametrize("name", WRONG)
def test_other_files_are_no_masks(name):
    with pytest.raises(PatchFormatError, match="the mask"):
        decode_mask(WRONG[name], (8, 8))


@pytest.mark.parametrize("shape", [(1, 1), (3, 9), (300, 401), (512, 512)])
def test_a_checked_mask_opens_without_pillows_header(shape, monkeypatch):
    mask = np.random.default_rng(0).random(shape) < 0.5
    data = encode_mask(mask)
    with monkeypatch.context() as patched:
        patched.setattr(Image, "open", None)
        assert np.array_equal(np.asarray(open_mask(data)), mask)
    assert open_mask(data).mode == "1"


def test_any_other_picture_opens_as_mask_too():
    for mode, options in (("L", {}), ("1", {"compress_level": 0}), ("P", {})):
        buffer = io.BytesIO()
        Image.new(mode, (900, 700), 1).save(buffer, "PNG", **options)
        assert open_mask(buffer.getvalue()).size == (900, 700)
