"""Rows become squares in the frame of their objects."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PIL import Image

from fornet_hf.evaluation.leakage.squares import INCOMPLETE, NO_RING, SIDE, Squares, square_of
from fornet_hf.format.rows import open_image
from tests.factory import columns, make_row


@pytest.mark.parametrize("of", [vars, columns])
def test_a_row_becomes_a_square_in_either_form(of):
    square = square_of(of(make_row(1)))
    assert isinstance(square, Squares)
    assert square.sources.shape == (1, SIDE, SIDE, 3)
    assert 0.1 < square.masks.mean() < 0.6
    assert not (square.masks & square.rings).any()


def test_source_and_background_differ_only_where_it_was_infilled():
    square = square_of(vars(make_row(0)))
    differences = np.abs(square.sources.astype(int) - square.backgrounds).max(-1)
    assert differences[square.rings].max() < 3
    assert differences[square.masks].mean() > 10


def test_a_row_without_a_part_has_none():
    for part in ("foreground", "background", "mask", "box"):
        assert square_of(vars(dataclasses.replace(make_row(0), **{part: None}))) == INCOMPLETE


def test_an_object_that_fills_its_image_has_no_surroundings():
    row = vars(make_row(0))
    image = open_image(row["background"])
    filling = {"box": [0, 0, *image.size], "foreground": image, "mask": Image.new("1", image.size, 1)}
    assert square_of({**row, **filling}) == NO_RING


def test_squares_are_joined_in_order():
    one, two = square_of(vars(make_row(0))), square_of(vars(make_row(1)))
    both = Squares.joined([two, one])
    assert list(both.keys) == [*two.keys, *one.keys]
    assert (both.at([1]).sources == one.sources).all()
    assert len(Squares.joined([])) == 0
