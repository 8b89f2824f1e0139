"""Masks in bits: box, area and parts are those of the unpacked mask."""

from __future__ import annotations

import io
import zlib
from unittest import mock

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fornet_hf.errors import PatchFormatError
from fornet_hf.format import bits
from fornet_hf.format.bits import Bits
from fornet_hf.format.masks import bounding_box, encode_mask, open_mask

MASKS = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40))


@given(MASKS)
def test_measures_are_those_of_the_mask(mask):
    for found in (Bits.of(mask), Bits.of_png(encode_mask(mask))):
        assert found.size == mask.shape[::-1]
        assert found.area == mask.sum()
        assert found.box == (bounding_box(mask) if mask.any() else None)
        assert np.array_equal(found.levels((0, 0, *found.size)), 255 * mask)


@given(MASKS)
def test_numpy_1_counts_alike(mask):
    with mock.patch.object(bits.np, "bitwise_count", create=True):
        del bits.np.bitwise_count
        assert Bits.of(mask).area == mask.sum()


@given(MASKS, st.data())
def test_a_part_is_that_of_the_mask(mask, data):
    height, width = mask.shape
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    right, bottom = data.draw(st.integers(left + 1, width)), data.draw(st.integers(top + 1, height))
    part, levels = (of((left, top, right, bottom)) for of in (Bits.of(mask).part, Bits.of(mask).levels))
    assert np.array_equal(levels, 255 * mask[top:bottom, left:right])
    assert part.shape == (bottom - top, -(-(right - left) // 8))
    unpacked = np.unpackbits(part, axis=1, count=right - left).astype(bool)
    assert np.array_equal(unpacked, mask[top:bottom, left:right])


def test_other_files_are_no_bits():
    mask = np.eye(20, 30, dtype=bool)
    buffers = io.BytesIO(), io.BytesIO()
    Image.fromarray(mask).convert("L").save(buffers[0], "PNG")
    Image.fromarray(mask).save(buffers[1], "PNG")  # perhaps with filters: then Pillow reads it
    assert Bits.of_png(buffers[0].getvalue()) is None
    found = Bits.of_png(buffers[1].getvalue())
    assert found is None or np.array_equal(found.levels((0, 0, *found.size)), 255 * mask)


def test_bits_beyond_the_width_are_no_object():
    """A writer may leave anything there."""
    mask = np.zeros((4, 5), bool)
    data = encode_mask(mask)
    rows = zlib.compress(b"\0\7" * 4)
    padded = data[:33] + len(rows).to_bytes(4, "big") + b"IDAT" + rows + b"\0\0\0\0" + data[-12:]
    assert Bits.of_png(padded) is None
    assert not open_mask(padded).any()


def test_damage_is_told():
    data = encode_mask(np.ones((30, 30), bool))
    with pytest.raises(PatchFormatError, match="cannot be decoded"):
        Bits.of_png(data[:41] + b"\xff\xff" + data[43:])
