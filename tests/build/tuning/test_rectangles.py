import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.tuning.rectangles import Rectangles

PUBLISHED = Rectangles()


@st.composite
def objects(draw):
    """A grid of 64 x 64 with up to six rectangles of object, speckled or not."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    mask = rng.random((64, 64)) < draw(st.sampled_from([0, 0.1, 0.4, 0.9]))
    for _ in range(draw(st.integers(0, 6))):
        top, left = rng.integers(0, 64, 2)
        mask[top : top + rng.integers(1, 50), left : left + rng.integers(1, 50)] = True
    return mask


def extent(mask):
    """Height and width of the tight box around a mask."""
    rows, columns = mask.any(1).nonzero()[0], mask.any(0).nonzero()[0]
    return rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1


@given(objects(), st.integers(0, 2**32 - 1))
def test_what_is_drawn_keeps_all_limits_or_is_the_whole_background(mask, seed):
    found = PUBLISHED.draw(mask, np.random.default_rng(seed))
    assert not (found & mask).any()
    if np.array_equal(found, ~mask):
        return
    # Corners are cells of the background, so the tight box around what is drawn is the rectangle.
    height, width = extent(found)
    assert height > 10
    assert width > 10
    assert 256 <= height * width <= 1024
    assert not (height > 32 and width > 32)
    assert found.sum() >= 2 / 3 * height * width
    rows, columns = (np.flatnonzero(found.any(axis)) for axis in (1, 0))
    inside = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    assert np.array_equal(found[inside], ~mask[inside])
    assert found.sum() == found[inside].sum()


def test_on_an_empty_grid_every_draw_is_a_rectangle_and_most_places_occur():
    mask, rng = np.zeros((64, 64), bool), np.random.default_rng(0)
    drawn = [PUBLISHED.draw(mask, rng) for _ in range(300)]
    assert all(one.sum() == np.prod(extent(one)) <= 1024 for one in drawn)
    assert np.logical_or.reduce(drawn).mean() > 0.95
    sides = np.array([extent(one) for one in drawn])
    assert sides.min() == 11
    assert sides.max() > 60  # one of the sides may be longer than 32


def test_one_side_stays_short_where_the_area_would_allow_two_long_ones():
    limits, rng = Rectangles(most_area=64 * 64), np.random.default_rng(0)
    sides = [extent(limits.draw(np.zeros((64, 64), bool), rng)) for _ in range(100)]
    assert max(min(both) for both in sides) <= 32 < max(max(both) for both in sides)


def test_only_cells_of_the_background_are_drawn_where_an_object_reaches_in():
    mask = np.zeros((64, 64), bool)
    mask[::4] = True
    found = PUBLISHED.draw(mask, np.random.default_rng(1))
    assert 0 < found.sum() < (~mask).sum()
    assert not found[::4].any()


def test_without_a_fitting_rectangle_all_of_the_background_counts():
    mask = np.ones((64, 64), bool)
    mask[:, :5] = False  # too narrow
    assert np.array_equal(PUBLISHED.draw(mask, np.random.default_rng(0)), ~mask)


def test_where_all_is_object_nothing_counts():
    assert not PUBLISHED.draw(np.ones((64, 64), bool), np.random.default_rng(0)).any()


def test_the_same_generator_draws_the_same():
    mask = np.zeros((64, 64), bool)
    first, second = (PUBLISHED.draw(mask, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize(
    ("grid", "limits"), [(64, (11, 256, 32, 1024)), (96, (16, 576, 48, 2304)), (8, (1, 4, 4, 16))]
)
def test_limits_follow_the_grid(grid, limits):
    found = Rectangles.of(grid)
    assert (found.least_side, found.least_area, found.most_side, found.most_area) == limits
