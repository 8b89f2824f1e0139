"""Means over seeds have Student's interval."""

import math

import pytest

from outcomes.interval import interval, written


def test_means_and_intervals_are_those_of_student():
    mean, half = interval([1.0, 2.0, 3.0])
    assert mean == 2
    assert half == pytest.approx(4.303 / math.sqrt(3))
    assert written([1.0, 2.0, 3.0]) == "2.00 ± 2.48"


def test_one_seed_has_no_interval():
    assert math.isnan(interval([0.5])[1])
    assert written([0.5]) == "0.50"


def test_a_mean_needs_all_values():
    assert interval([0.5, None]) is None
    assert written([]) == "not defined"
