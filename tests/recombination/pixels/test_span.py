"""Where a scaling begins: at whole pixels, near to where it should."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fornet_hf.recombination.pixels.span import Span


@st.composite
def wanted(draw: st.DrawFn) -> tuple[float, float, int, tuple[float, float]]:
    low = draw(st.integers(0, 40)) / 2
    high = low + draw(st.integers(1, 900)) / 2
    start = low + (high - low) * draw(st.floats(0, 0.95))
    end = start + (high - start) * draw(st.floats(0.05, 1))
    return start, end, draw(st.integers(1, 300)), (low, high)


@given(wanted())
def test_the_part_is_moved_by_less_than_edges_are_rounded(
    case: tuple[float, float, int, tuple[float, float]],
) -> None:
    start, end, output, limits = case
    span = Span.of(*case)
    step = (end - start) / output
    whole = 1.0 if limits[1] - limits[0] < 1 else 0.5  # limits are rounded; an object has a pixel at least
    tolerance = 0.5 * step + whole + 1e-6
    assert abs(span.first + span.start - start) <= tolerance
    assert abs(span.first + span.start + span.output * span.step - end) <= tolerance + 0.25 * step
    if limits[0] + step < start and end < limits[1] - step and float(limits[0]).is_integer():
        assert abs(span.first + span.start - start) <= 0.25 * step + 1e-6
        assert span.surplus is None or abs(span.surplus * span.step - span.start) < 1e-9


@given(wanted())
def test_what_is_seen_covers_the_output_and_lies_within_the_limits(
    case: tuple[float, float, int, tuple[float, float]],
) -> None:
    span, limits = Span.of(*case), case[3]
    assert limits[0] - 1 <= span.first < span.last <= limits[1] + 1
    assert span.start >= 0
    assert span.start + span.output * span.step <= span.last - span.first + 1e-6


def test_a_whole_object_is_scaled_to_the_whole_output() -> None:
    assert Span.of(7.2, 90.0, 40, (7.0, 90.0)) == Span(7, 90, 0.0, 83 / 40, 40, 0)


def test_it_begins_at_the_edge_where_that_is_exact() -> None:
    span = Span.of(23 + 22 * 1.6, 119.0, 38, (23, 119))
    assert (span.first, span.last, span.surplus, span.step) == (23, 119, 22, pytest.approx(1.6))


def test_grids_that_never_meet_are_left_apart() -> None:
    span = Span.of(100.5, 150.5, 50, (0.25, 200.0))
    assert span.surplus is None
    assert span.first + span.start == 100.5
