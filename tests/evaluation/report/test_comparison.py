"""The best model is named only where the intervals allow it."""

from __future__ import annotations

from math import inf

import pytest

from fornet_hf.evaluation.report.comparison import best
from fornet_hf.evaluation.statistics.values import Value


def value(low: float | None, high: float | None) -> Value:
    middle = None if low is None or high is None else (low + high) / 2
    return Value(measure="m", value=middle, low=low, high=high, n=10)


@pytest.mark.parametrize(
    ("intervals", "ideal", "expected"),
    [
        ([(0.7, 0.8), (0.81, 0.9)], inf, 1),
        ([(0.7, 0.8), (0.8, 0.9)], inf, None),
        ([(0.7, 0.8), (1.05, 1.15)], 1, 1),
        ([(0.8, 0.9), (1.15, 1.3)], 1, None),
        ([(-0.05, 0.05), (0.1, 0.2), (0.06, 0.3)], 0, 0),
        ([(0.7, 0.8)], inf, None),
        ([(None, None), (0.81, 0.9)], inf, None),
        ([(0.1, 0.2), (0.5, 0.6)], None, None),
    ],
)
def test_best(intervals, ideal, expected):
    assert best([value(*ends) for ends in intervals], ideal) == expected


def test_a_model_that_was_not_measured_does_not_compete():
    assert best([None, value(0.1, 0.2), value(0.3, 0.4)], inf) == 2
