"""Cleaning of masks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fornet_hf.format.masks import dilate
from producers.devices.opencv import blended, closed, dilated, filled, largest_filled


def test_only_the_largest_part_stays_and_its_hole_is_filled():
    mask = np.zeros((40, 60), bool)
    mask[5:35, 5:35] = True
    mask[15:25, 15:25] = False
    mask[2:8, 50:58] = True
    expected = np.zeros((40, 60), bool)
    expected[5:35, 5:35] = True
    assert np.array_equal(largest_filled(mask), expected)


def test_a_ring_wins_over_a_disc_with_more_pixels():
    mask = np.zeros((60, 100), bool)
    mask[0:40, 0:40] = True
    mask[1:39, 1:39] = False  # 156 pixels around 1600
    mask[0:20, 60:80] = True  # 400 pixels
    assert largest_filled(mask).sum() == 1600


def test_enclosed_area_counts_and_not_the_length_of_the_edge():
    mask = np.zeros((40, 100), bool)
    mask[0:20, 0:20] = True
    mask[30, 30:90] = mask[20:30, 30:90:2] = True  # a comb
    assert largest_filled(mask)[10, 10]


def test_empty_stays_empty_and_a_point_stays_a_point():
    mask = np.zeros((5, 5), bool)
    assert not largest_filled(mask).any()
    mask[2, 3] = True
    assert np.array_equal(largest_filled(mask), mask)


def test_holes_of_all_parts_are_filled_and_parts_stay_apart():
    solid = np.zeros((40, 90), bool)
    solid[5:35, 5:35] = solid[10:30, 50:80] = True
    holed = solid.copy()
    holed[15:25, 15:25] = holed[12:20, 60:64] = False
    assert np.array_equal(filled(holed), solid)
    assert not filled(np.zeros((9, 9), bool)).any()


def test_narrow_gaps_close_and_wide_ones_stay():
    mask = np.zeros((30, 60), bool)
    mask[:, :20] = mask[:, 24:40] = mask[:, 50:] = True
    expected = mask.copy()
    expected[:, 20:24] = True
    assert np.array_equal(closed(mask, 3), expected)
    assert np.array_equal(closed(mask, 0), mask)


def test_the_edge_of_the_image_is_no_gap():
    mask = np.zeros((30, 30), bool)
    mask[10:20, 3:20] = True
    assert np.array_equal(closed(mask, 5), mask)


@given(arrays.arrays(bool, st.tuples(st.integers(1, 30), st.integers(1, 30))), st.integers(0, 40), st.booleans())
def test_dilation_is_that_of_the_library(mask, radius, turned):
    mask = mask.T if turned else mask
    result = dilated(mask, radius)
    assert result.dtype == bool
    assert np.array_equal(result, dilate(mask, radius))


def test_an_image_fades_into_the_filling_of_its_hole():
    raster, filling = np.full((9, 9, 3), 100, np.uint8), np.full((9, 9, 3), 300.0)
    hole = np.zeros((9, 9), bool)
    hole[:, 3:] = True
    found = blended(raster, filling, hole, 1)
    assert (found[:, :3] == 100).all()
    assert ((found[:, 3] > 180) & (found[:, 3] < 220)).all()
    assert (found[:, 4:] == 255).all()  # what lies beyond is cut off
