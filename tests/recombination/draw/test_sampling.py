"""Invariants of the drawn numbers; their distributions are in test_distributions.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fornet_hf.recombination.draw.configuration import CropConfig, RecombinationConfig
from fornet_hf.recombination.draw.rng import generator
from fornet_hf.recombination.draw.sampling import BackgroundShape, ForegroundShape, bates, draw, nonant

SIDES = st.integers(1, 500)
FOREGROUNDS = st.builds(ForegroundShape, SIDES, SIDES, st.floats(1e-4, 1), st.floats(0, 1))
BACKGROUNDS = st.builds(BackgroundShape, st.just(None), SIDES, SIDES, st.floats(0, 1))


def drawn(config, foreground, background, number=0, original=0.0):
    return draw(
        generator(number),
        config,
        label=0,
        foreground=foreground,
        own=background,
        backgrounds=None,
        original_probability=original,
    )


def orig(**parameters):
    return RecombinationConfig(background_combination="orig", **parameters)


@given(FOREGROUNDS, BACKGROUNDS, st.integers(0, 1000))
def test_the_foreground_lies_on_the_canvas_and_has_at_least_a_pixel(foreground, background, number):
    made = drawn(orig(), foreground, background, number)
    part = made.part[2] - made.part[0], made.part[3] - made.part[1]
    for axis in (0, 1):
        assert 1 <= part[axis] <= made.canvas[axis]
        assert 0 <= made.part[axis] < made.part[axis + 2] <= made.size[axis]
        assert 0 <= made.offset[axis] <= made.canvas[axis] - part[axis]


@given(FOREGROUNDS, BACKGROUNDS, st.integers(0, 8), st.integers(-3, 3), st.integers(0, 1000))
def test_the_whole_foreground_stays_in_its_nonant(foreground, background, cell, order, number):
    made = drawn(orig(fg_in_nonant=cell, fg_bates_n=order, rel_jut_out=0.5), foreground, background, number)
    x0, y0, x1, y1 = nonant(cell, made.canvas)
    assert made.part == (0, 0, *made.size)
    assert x0 <= made.offset[0]
    assert made.offset[0] + made.size[0] <= x1
    assert y0 <= made.offset[1]
    assert made.offset[1] + made.size[1] <= y1


@given(FOREGROUNDS, BACKGROUNDS, st.integers(0, 8), st.sampled_from([0.3, 1.0, 4.0]), st.integers(0, 1000))
def test_what_was_shrunk_to_fit_its_nonant_is_told(foreground, background, cell, fact, number):
    made, free = (
        drawn(orig(fg_in_nonant=where, fg_size_fact=fact), foreground, background, number) for where in (cell, -1)
    )
    assert made.fitted == made.size[0] * made.size[1] / (free.size[0] * free.size[1])
    assert made.fitted <= 1 == free.fitted
    x0, y0, x1, y1 = nonant(cell, made.canvas)
    assert (made.fitted == 1) == (free.size[0] <= x1 - x0 and free.size[1] <= y1 - y0)


@given(st.integers(3, 700), st.integers(3, 700))
def test_nonants_do_not_overlap(width, height):
    boxes = [nonant(cell, (width, height)) for cell in range(9)]
    assert boxes[0][:2] == (0, 0)
    assert boxes[8][2:] == (width, height)
    assert all(boxes[cell][2] <= boxes[cell + 1][0] for cell in (0, 1))
    assert all(boxes[cell][3] <= boxes[cell + 3][1] for cell in (0, 3))


@given(BACKGROUNDS, st.integers(0, 1000), st.sampled_from([(0.08, 1.0), (0.5, 0.6)]))
def test_the_crop_lies_on_the_canvas(background, number, scale):
    made = drawn(orig(crop=CropConfig(size=(32, 16), scale=scale)), None, background, number)
    x0, y0, x1, y1 = made.window
    assert 0 <= x0 < x1 <= background.width
    assert 0 <= y0 < y1 <= background.height
    assert made.output == (32, 16)


FOREGROUND, BACKGROUND = ForegroundShape(40, 20, 0.5, 0.1), BackgroundShape(None, 200, 100, 0.2)


def test_a_ratio_of_zero_gives_one_pixel():
    made = drawn(orig(), ForegroundShape(40, 20, 0.5, 0.0), BackgroundShape(None, 200, 100, 0.0))
    assert made.size == (1, 1)


def test_an_empty_mask_is_not_pasted():
    assert drawn(orig(), ForegroundShape(40, 20, 0.0, 0.1), BACKGROUND).size is None


def test_evaluation_takes_the_middle():
    config = orig(evaluation=True, fg_size_fact=50, crop=CropConfig(size=10, centre=0.5), flip=1.0)
    made = drawn(config, FOREGROUND, BACKGROUND)
    assert made.window == (75, 25, 125, 75)
    assert not made.flip
    for axis in (0, 1):
        assert made.size[axis] - made.part[axis + 2] == pytest.approx(made.part[axis], abs=1)


def test_background_first_makes_the_crop_the_canvas():
    made = drawn(orig(crop=CropConfig(size=64), paste_pre_transform=False), FOREGROUND, BACKGROUND)
    assert made.canvas == (64, 64)
    assert made.window == (0, 0, 64, 64)
    assert made.background_box != made.window


def test_one_parameter_leaves_the_other_draws_as_they_were():
    one = drawn(orig(crop=CropConfig(size=64)), FOREGROUND, BACKGROUND)
    two = drawn(
        orig(crop=CropConfig(size=64), mask_smoothing_sigma=0, flip=1.0, fg_bates_n=3), FOREGROUND, BACKGROUND
    )
    assert (one.size, one.window) == (two.size, two.window)


def test_a_row_without_foreground_shows_its_background():
    made = drawn(RecombinationConfig(), None, BACKGROUND)
    assert made.background is None
    assert made.size is None
    assert not made.original


def test_original_images_are_as_frequent_as_said():
    share = sum(drawn(orig(), FOREGROUND, BACKGROUND, number, 0.3).original for number in range(2000)) / 2000
    assert share == pytest.approx(0.3, abs=0.04)


@pytest.mark.parametrize(("order", "expected"), [(0, 0.5), (2, 0.4), (-2, 0.9)])
def test_bates(order, expected):
    assert bates([0.2, 0.6][: abs(order)], order) == pytest.approx(expected)
