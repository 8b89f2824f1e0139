"""Masks of an exact mean, against sorting everything, ties included."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fornet_hf.mixing.ranking import brightest, counts, cut, descending

FLOATS = st.floats(-2, 2, width=32) | st.sampled_from([0.0, -0.0, 1.0, -1.0])
MAPS = st.lists(FLOATS, min_size=1, max_size=40).map(lambda values: np.array(values, np.float32))


def ranked(values):
    """Return places from the largest value to the smallest, equal ones in order."""
    return sorted(range(len(values)), key=lambda place: (-float(values[place]), place))


@given(MAPS, st.floats(0, 1))
def test_as_many_as_asked_for_are_the_brightest(values, share):
    count = round(share * len(values))
    assert np.flatnonzero(brightest(values, count)).tolist() == sorted(ranked(values)[:count])


@given(MAPS)
def test_descending_is_stable(values):
    assert descending(values).tolist() == ranked(values)


@example(np.arange(10, dtype=np.float32), 0.65, 0.5, 0.9)  # the ramp is as wide as its smaller side, rounded down
@given(MAPS, st.floats(0, 1), st.floats(0, 0.5), st.sampled_from([0.0, 0.9]))
def test_a_mask_is_that_of_the_formulas(values, lam, max_soft, coin):
    pixels = len(values)
    ones = math.ceil(lam * pixels) if coin < 0.5 else math.floor(lam * pixels)
    soft = int(pixels * min(max_soft, lam, 1 - lam))
    wanted, order = np.zeros(pixels), ranked(values)
    wanted[order[: ones - soft]] = 1
    wanted[order[ones - soft : ones + soft]] = np.linspace(1, 0, 2 * soft)
    numbers = counts(np.array([lam]), pixels, max_soft, np.array([coin]))
    mask = np.empty(pixels, np.float32)
    cut(values, int(numbers.ones[0]), int(numbers.soft[0]), out=mask)
    assert np.allclose(mask, wanted, atol=1e-6)
    assert mask.sum() == pytest.approx(ones, abs=1e-4)


def test_coins_round_both_ways_alike():
    coins = np.random.default_rng(0).random(4000)
    numbers = counts(np.full(4000, 0.35), 10, 0.0, coins)
    assert set(numbers.ones) == {3, 4}
    assert numbers.ones.mean() == pytest.approx(3.5, abs=0.05)


def test_a_map_without_differences_has_an_exact_mask():
    mask = np.empty(100, np.float32)
    cut(np.zeros(100, np.float32), 30, 10, out=mask)
    assert mask.sum() == pytest.approx(30)
    assert (np.diff(mask) <= 0).all()
