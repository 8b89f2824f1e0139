"""Masks: boxes, dilation, and files."""

import io
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from fornet_hf.errors import EmptyMaskError, PatchFormatError
from fornet_hf.format.masks import bounding_box, decode_mask, dilate, encode_mask, levels_of, open_mask
from tests.format.test_raster import png_header
from tests.images import file_of, made_image

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
    "two images": GOOD + GOOD,
    "other size": encode_mask(np.ones((8, 9), bool)),
    "gray": file_of(made_image(8, 8).convert("L"), "PNG"),
    "rgb": file_of(made_image(8, 8), "PNG"),
    "jpeg": file_of(made_image(8, 8)),
    "bomb": png_header(60_000, 60_000),
    "one bit": GOOD[:45] + bytes([GOOD[45] ^ 1]) + GOOD[46:],
    "one bit of what Pillow does not read": GOOD[:-17] + bytes([GOOD[-17] ^ 1]) + GOOD[-16:],
    "chunk beyond the end": GOOD[:-12] + b"\xff" + GOOD[-11:],
}


@pytest.mark.parametrize("name", WRONG)
def test_other_files_are_no_masks(name):
    with pytest.raises(PatchFormatError, match="the mask"):
        decode_mask(WRONG[name], (8, 8))


def by_pillow(mask, **options):
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, "PNG", **options)
    return buffer.getvalue()


@given(masks)
def test_filtered_masks_are_read_too(mask):
    """Such as earlier releases and other programs wrote."""
    mask = np.ascontiguousarray(mask)
    data = by_pillow(mask)
    for read in (decode_mask(data, mask.shape[::-1]), open_mask(data), levels_of(Image.fromarray(mask))):
        assert read.dtype == np.bool_
        assert np.array_equal(read.view(np.uint8), mask.view(np.uint8))  # bytes of 0 and 1, as sums need


def chunk(kind, content=b""):
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


IHDR, IDAT, IEND = GOOD[8:33], GOOD[33:-12], GOOD[-12:]
OTHERS = {
    "end in the middle": [IHDR, IEND, IDAT, IEND],
    "two headers": [IHDR, chunk(b"IHDR", GOOD[16:20] + (4).to_bytes(4, "big") + GOOD[24:29]), IDAT, IEND],
    "text": [IHDR, IDAT, chunk(b"tEXt", b"a\0b"), IEND],
    "animation": [IHDR, chunk(b"acTL", bytes(8)), IDAT, IEND],
    "no pixels": [IHDR, IEND],
    "no header": [IDAT, IEND],
    "nothing": [],
}


@pytest.mark.parametrize("name", OTHERS)
def test_chunks_that_may_change_what_a_reader_sees_are_refused(name):
    with pytest.raises(PatchFormatError, match="the mask"):
        decode_mask(GOOD[:8] + b"".join(OTHERS[name]), (8, 8))


def test_pixels_in_several_chunks_are_read():
    mask = np.eye(30, dtype=bool)
    data = encode_mask(mask)
    pixels = data[41:-16]
    parts = [data[8:33], *(chunk(b"IDAT", pixels[at : at + 9]) for at in range(0, len(pixels), 9)), IEND]
    split = data[:8] + b"".join(parts)
    assert np.array_equal(decode_mask(split, (30, 30)), mask)
    assert np.array_equal(open_mask(split), mask)


def test_masks_are_smaller_than_pillows():
    rows, columns = np.indices((300, 400))
    disc = (rows - 150) ** 2 + (columns - 200) ** 2 < 100**2
    assert len(encode_mask(disc)) < 0.8 * len(by_pillow(disc))


@given(masks)
def test_pillow_reads_a_mask(mask):
    with Image.open(io.BytesIO(encode_mask(mask))) as opened:
        assert opened.mode == "1"
        assert np.array_equal(np.asarray(opened), mask)


@pytest.mark.parametrize("shape", [(1, 1), (3, 9), (300, 401), (512, 512)])
def test_a_mask_of_ours_is_read_without_pillow(shape, monkeypatch):
    mask = np.random.default_rng(0).random(shape) < 0.5
    data = encode_mask(mask)
    monkeypatch.setattr(Image, "open", None)
    assert np.array_equal(open_mask(data), mask)
    assert np.array_equal(decode_mask(data, shape[::-1]), mask)


def test_any_other_image_opens_as_mask_too():
    for mode, options in (("L", {}), ("1", {"compress_level": 0}), ("P", {}), ("RGB", {})):
        opened = open_mask(file_of(Image.new(mode, (900, 700), 1), "PNG", **options))
        assert opened.shape == (700, 900)
        assert opened.dtype == (np.bool_ if mode == "1" else np.uint8)


LIES = {
    "fewer rows": lambda data: data[:20] + (7).to_bytes(4, "big") + data[24:],
    "more rows": lambda data: data[:20] + (9).to_bytes(4, "big") + data[24:],
    "no pixels": lambda data: data[:41] + bytes(len(data) - 57) + data[-16:],
}


@pytest.mark.parametrize("name", LIES)
def test_lies_of_a_header_are_no_mask(name):
    data = LIES[name](GOOD)
    size = 8, int.from_bytes(data[20:24], "big")
    for at, length in ((8, 13), (33, len(data) - 57)):  # the checksums are right
        content = data[at + 4 : at + 8 + length]
        data = data[: at + 8 + length] + zlib.crc32(content).to_bytes(4, "big") + data[at + 12 + length :]
    for read in (open_mask, lambda data: decode_mask(data, size)):
        with pytest.raises(PatchFormatError, match="the mask"):
            read(data)
