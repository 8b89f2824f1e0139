"""Restart-coded JPEG: rectangles of it are JPEGs, and go back in."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fornet_hf.errors import PatchFormatError
from fornet_hf.format import jpeg
from fornet_hf.format.jpeg import Rectangle
from tests.images import file_of, made_image

SIZES = [(1, 1), (16, 16), (17, 16), (15, 33), (100, 64), (129, 130), (512, 1), (3, 200)]
sizes = st.tuples(st.integers(1, 90), st.integers(1, 90))


def decoded(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def grid(size):
    return -(-size[0] // 16), -(-size[1] // 16)


@st.composite
def sized_rectangles(draw):
    size = draw(sizes)
    columns, rows = grid(size)
    left, top = draw(st.integers(0, columns - 1)), draw(st.integers(0, rows - 1))
    return size, Rectangle(left, top, draw(st.integers(left + 1, columns)), draw(st.integers(top + 1, rows)))


@pytest.mark.parametrize("size", SIZES)
def test_every_mcu_ends_in_a_marker_and_the_header_is_constant(size):
    data = jpeg.encode(made_image(*size))
    columns, rows = grid(size)
    body = data[len(jpeg.header()) :]
    markers = [body[i + 1] for i in range(len(body) - 1) if body[i] == 0xFF and body[i + 1]]
    assert markers == [0xD0 + i % 8 for i in range(columns * rows - 1)] + [0xD9]
    assert jpeg.size_of(data) == size
    jpeg.check(data, size)


def test_the_encoder_has_room_for_noise():
    noise = np.random.default_rng(0).integers(0, 256, (512, 512, 3), np.uint8)
    data = jpeg.encode(Image.fromarray(noise))
    jpeg.check(data, (512, 512))
    assert len(data) > 200_000


@given(sized_rectangles())
def test_a_cut_has_the_pixels_of_the_whole_but_for_one_row_at_inner_edges(case):
    size, area = case
    data = jpeg.encode(made_image(*size))
    x0, y0, x1, y1 = area.pixels(size)
    whole, part = decoded(data)[y0:y1, x0:x1], decoded(jpeg.cut(data, area))
    assert part.shape == whole.shape
    if part.shape[1] <= 4 < size[0]:  # libjpeg does not smooth the chroma of images that narrow
        return
    inner = np.s_[int(y0 > 0) : part.shape[0] - int(y1 < size[1]), int(x0 > 0) : part.shape[1] - int(x1 < size[0])]
    assert np.array_equal(part[inner], whole[inner])


@given(sized_rectangles(), st.integers(0, 3))
def test_splicing_a_cut_into_another_image_restores_what_the_area_covers(case, seed):
    size, area = case
    original, other = jpeg.encode(made_image(*size)), jpeg.encode(made_image(*size, seed=seed))
    spliced = jpeg.splice(other, jpeg.cut(original, area), area)
    jpeg.check(spliced, size)
    assert jpeg.cut(spliced, area) == jpeg.cut(original, area)
    assert jpeg.splice(spliced, jpeg.cut(other, area), area) == other


@given(sized_rectangles(), st.integers(0, 2))
def test_around_is_the_smallest_rectangle_that_covers_a_box(case, margin):
    size, area = case
    assert Rectangle.around(area.pixels(size), size) == area
    wide = Rectangle.around(area.pixels(size), size, margin)
    assert wide.left == max(0, area.left - margin)
    assert wide.bottom == min(grid(size)[1], area.bottom + margin)


@pytest.mark.parametrize("area", [(0, 0, 5, 1), (-1, 0, 1, 1), (1, 0, 1, 1), (0, 2, 1, 1), (0, 0, 1, 9)])
def test_areas_outside_are_refused(area):
    data = jpeg.encode(made_image(64, 64))
    with pytest.raises(PatchFormatError, match="4 x 4 MCUs"):
        jpeg.cut(data, Rectangle(*area))


def test_an_inset_of_another_size_is_refused():
    data = jpeg.encode(made_image(64, 64))
    with pytest.raises(PatchFormatError, match=r"\(16, 16\).*\(32, 16\)"):
        jpeg.splice(data, jpeg.encode(made_image(16, 16)), Rectangle(0, 0, 2, 1))


DATA = jpeg.encode(made_image(64, 48))
FOREIGN = {
    "nothing": b"",
    "header alone": jpeg.header(),
    "other settings": file_of(made_image(64, 48), quality=80),
    "no markers": file_of(made_image(64, 48), quality=90, subsampling=2),
    "cut": DATA[: len(DATA) // 2],
    "no end": DATA[:-2],
    "bytes at the end": DATA + b"<html>",
    "end twice": DATA + b"\xff\xd9",
    "markers exchanged": DATA.replace(b"\xff\xd1", b"\xff\xd2", 1),
    "other size": DATA[:163] + b"\x10\x00" + DATA[165:],
    "no size": DATA[:163] + b"\0\0" + DATA[165:],
}


@pytest.mark.parametrize("name", FOREIGN)
def test_other_jpegs_are_refused(name):
    for use in (
        lambda data: jpeg.check(data, (64, 48)),
        lambda data: jpeg.cut(data, Rectangle(0, 0, 1, 1)),
        lambda data: jpeg.splice(data, jpeg.encode(made_image(16, 16)), Rectangle(0, 0, 1, 1)),
    ):
        with pytest.raises(PatchFormatError, match="JPEG"):
            use(FOREIGN[name])


def test_another_size_is_named():
    with pytest.raises(PatchFormatError, match=r"\(64, 48\).*\(48, 64\)"):
        jpeg.check(DATA, (48, 64))
