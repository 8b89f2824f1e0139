"""Lines over a quantity, with bands for their intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from fornet_hf.evaluation.report.html import Markup, element
from fornet_hf.evaluation.report.numbers import Unit, ticks
from fornet_hf.evaluation.report.plots.drawing import (
    WIDTH,
    Range,
    colour,
    drawing,
    label,
    line,
    marker,
    path,
)
from fornet_hf.evaluation.statistics.values import Value

_LEFT, _RIGHT, _TOP, _BOTTOM, _HEIGHT = 40, 12, 10, 196, 234


@dataclass(frozen=True)
class Curve:
    """The values of one model, by the quantity at which each was measured."""

    name: str
    values: Mapping[float, Value]


def lines(title: str, curves: Sequence[Curve], unit: Unit, *, x_words: str, reference: float | None = None) -> Markup:
    """Draw the curves, in the order and colours of the models.

    Args:
        title: says what the curves are.
        curves: one for each model.
        unit: of the numbers.
        x_words: name of the quantity.
        reference: number at which a dashed line lies.
    """
    places = sorted({at for curve in curves for at in curve.values})
    values = [value for curve in curves for value in curve.values.values()]
    numbers = [number for value in values for number in (value.value, value.low, value.high) if number is not None]
    numbers += [] if reference is None else [reference]
    marks = ticks(min(numbers, default=0.0), max(numbers, default=1.0))
    y = Range(low=marks[0], high=marks[-1], start=_BOTTOM, end=_TOP)
    spread = (places[-1] - places[0]) or 1.0
    x = Range(low=places[0] - spread * 0.04, high=places[-1] + spread * 0.04, start=_LEFT, end=WIDTH - _RIGHT)
    grid = [line(_LEFT, y(mark), WIDTH - _RIGHT, y(mark), "grid") for mark in marks]
    axis = [label(_LEFT - 6, y(mark), unit.tick(mark), class_="tick", anchor="end") for mark in marks]
    axis += [label(x(at), _BOTTOM + 13, f"{at:g}", class_="tick", anchor="middle") for at in places]
    axis.append(label((_LEFT + WIDTH - _RIGHT) / 2, _BOTTOM + 29, x_words, class_="tick", anchor="middle"))
    dashed = [] if reference is None else [line(_LEFT, y(reference), WIDTH - _RIGHT, y(reference), "reference")]
    drawn = [_band(curve, x, y, number) for number, curve in enumerate(curves)]
    drawn += [_curve(curve, x, y, unit, number) for number, curve in enumerate(curves)]
    return drawing(_HEIGHT, title, grid, dashed, drawn, axis)


def _band(curve: Curve, x: Range, y: Range, number: int) -> list[Markup]:
    runs = _runs(curve, lambda value: value.low is not None and value.high is not None)
    bands = []
    for run in runs:
        upper = [(x(at), y(value.high or 0.0)) for at, value in run]
        lower = [(x(at), y(value.low or 0.0)) for at, value in reversed(run)]
        bands.append(element("polygon", points=path(upper + lower), class_=f"band {colour(number)}"))
    return bands


def _curve(curve: Curve, x: Range, y: Range, unit: Unit, number: int) -> list[Markup]:
    drawn = []
    for run in _runs(curve, lambda value: value.value is not None):
        points = path((x(at), y(value.value or 0.0)) for at, value in run)
        drawn.append(element("polyline", points=points, class_=f"curve {colour(number)}"))
        for at, value in run:
            body = element("title", f"{curve.name}, {at:g}: {unit.sentence(value)}, n = {value.n}")
            drawn.append(element("g", body, marker(x(at), y(value.value or 0.0), number)))
    return drawn


def _runs(curve: Curve, known: Callable[[Value], bool]) -> list[list[tuple[float, Value]]]:
    """Return the stretches in which each value is known: a line does not go over what is not defined."""
    ordered = sorted(curve.values.items())
    return [list(run) for there, run in groupby(ordered, lambda pair: known(pair[1])) if there]
