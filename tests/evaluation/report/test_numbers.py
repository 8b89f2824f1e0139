"""Numbers are written as people read them, and axes have round ones."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fornet_hf.evaluation.report.numbers import PERCENT, POINTS, RATIO, ticks
from fornet_hf.evaluation.statistics.values import Value

NUMBERS = st.floats(-10, 10)


@pytest.mark.parametrize(
    ("unit", "number", "written"),
    [
        (PERCENT, 0.8125, "81.2\u00a0%"),
        (PERCENT, 1.0, "100.0\u00a0%"),
        (RATIO, -0.004, "0.00"),
        (RATIO, -0.25, "\u22120.25"),
        (POINTS, 0.073, "7.3 points"),
        (RATIO, None, "not defined"),
    ],
)
def test_numbers_are_written_with_their_unit(unit, number, written):
    assert unit.full(number) == written


def test_an_interval_needs_both_ends():
    assert RATIO.interval(Value(measure="m", value=0.5, low=0.4, high=0.6, n=1)) == "0.40 to 0.60"
    assert RATIO.interval(Value(measure="m", value=0.5, low=0.4, n=1)) == ""


@given(NUMBERS, NUMBERS, st.integers(3, 8))
def test_an_axis_holds_all_numbers_with_few_steps(one, other, count):
    low, high = sorted((one, other))
    marks = ticks(low, high, count)
    assert marks[0] <= low + 1e-6
    assert marks[-1] >= high - 1e-6
    assert 2 <= len(marks) <= count + 2
    assert all(after > before for before, after in pairwise(marks))
