"""Bars that lie, with their intervals and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fornet_hf.evaluation.report.html import Markup, element
from fornet_hf.evaluation.report.numbers import Unit, ticks
from fornet_hf.evaluation.report.plots.drawing import WIDTH, Range, colour, drawing, label, line
from fornet_hf.evaluation.statistics.values import Value

_ROW, _TOP, _AXIS = 24, 6, 26
_RIGHT = 64  # column of numbers
_LETTER = 7.4  # width of one, about, in wide fonts and with underscores


@dataclass(frozen=True)
class Bar:
    """One bar: its name, and its value."""

    name: str
    value: Value


@dataclass(frozen=True)
class Gap:
    """The difference of two bars, by their names, and the words for it."""

    upper: str
    lower: str
    words: str


def bars(
    title: str,
    shown: Sequence[Bar],
    unit: Unit,
    *,
    series: int = 0,
    top: float = 1.0,
    reference: float | None = None,
    gap: Gap | None = None,
) -> Markup:
    """Draw bars below each other, in the order given.

    Args:
        title: says what the bars are.
        shown: the bars.
        unit: of their numbers.
        series: number of the model, which has a colour.
        top: the largest number that the axis must hold; it begins at 0, or at the lowest end of an interval.
        reference: number at which a dashed line stands, such as chance.
        gap: is marked.
    """
    numbers = [
        number for bar in shown for number in (bar.value.value, bar.value.low, bar.value.high) if number is not None
    ]
    marks = ticks(min([0.0, *numbers]), max([top, *numbers]), 4)
    left = min(196.0, max(88.0, 14 + _LETTER * max(len(bar.name) for bar in shown)))
    x = Range(low=marks[0], high=marks[-1], start=left, end=WIDTH - _RIGHT)
    bottom = _TOP + _ROW * len(shown)
    grid = [line(x(mark), _TOP, x(mark), bottom, "base" if mark == 0 else "grid") for mark in marks]
    axis = [label(x(mark), bottom + 11, unit.tick(mark), class_="tick", anchor="middle") for mark in marks]
    rows = [_row(bar, _TOP + _ROW * number, x, unit, series) for number, bar in enumerate(shown)]
    dashed = [] if reference is None else [line(x(reference), _TOP, x(reference), bottom, "reference")]
    bracket = [] if gap is None else _bracket(gap, shown, x)
    return drawing(bottom + _AXIS, title, grid, rows, dashed, bracket, axis)


def _row(bar: Bar, y: float, x: Range, unit: Unit, series: int) -> list[Markup]:
    value, middle = bar.value, y + _ROW / 2
    name = label(x.start - 8, middle, bar.name, anchor="end")
    if value.value is None:
        return [name, label(x(0) + 6, middle, unit.full(None), class_="faint")]
    left, right = sorted((x(0), x(value.value)))
    body = element("title", f"{bar.name}: {unit.sentence(value)}, n = {value.n}")
    rect = element("rect", x=left, y=y + 4, width=right - left, height=_ROW - 8, rx=2, class_=f"bar {colour(series)}")
    number = label(WIDTH - _RIGHT + 8, middle, unit.full(value.value), class_="number")
    whisker: list[Markup] = []
    if value.low is not None and value.high is not None:
        ends = x(value.low), x(value.high)
        whisker = [line(ends[0], middle, ends[1], middle, "whisker")]
        whisker += [line(end, middle - 3, end, middle + 3, "whisker") for end in ends]
    return [element("g", body, name, rect, whisker, number)]


def _bracket(gap: Gap, shown: Sequence[Bar], x: Range) -> list[Markup]:
    """Mark the gap between the ends of two bars, below the lower of the two."""
    rows = {bar.name: number for number, bar in enumerate(shown)}
    if not {gap.upper, gap.lower} <= set(rows):
        return []
    values = shown[rows[gap.upper]].value.value, shown[rows[gap.lower]].value.value
    if values[0] is None or values[1] is None:
        return []
    left, right = sorted((x(values[0]), x(values[1])))
    top, bottom = sorted((rows[gap.upper], rows[gap.lower]))
    y = _TOP + _ROW * top + 2, _TOP + _ROW * (bottom + 1) - 2
    area = element("rect", x=left, y=y[0], width=max(right - left, 1), height=y[1] - y[0], class_="gap")
    inside = right - left > _LETTER * len(gap.words) + 10
    edge, anchor = ((left + right) / 2, "middle") if inside else (left - 5, "end")
    return [area, label(edge, (y[0] + y[1]) / 2, gap.words, class_="gapwords", anchor=anchor)]
