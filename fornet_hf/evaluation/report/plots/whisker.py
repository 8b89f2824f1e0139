"""A number and its interval on a scale, small enough for a table."""

from __future__ import annotations

from fornet_hf.evaluation.report.html import Markup, element
from fornet_hf.evaluation.report.plots.drawing import Range, line, marker
from fornet_hf.evaluation.statistics.values import Value


def whisker(value: Value, low: float, high: float, *, series: int, ideal: float | None = None) -> Markup:
    """Draw a value with its interval.

    Args:
        value: which is defined.
        low: the left end of the scale.
        high: the right end.
        series: number of the model.
        ideal: is marked by a line, if the scale has it.
    """
    x = Range(low=low, high=high if high > low else low + 1, start=6, end=74)
    drawn = [line(6, 8, 74, 8, "grid")]
    if ideal is not None and low <= ideal <= high:
        drawn.append(line(x(ideal), 1, x(ideal), 15, "reference"))
    if value.low is not None and value.high is not None:
        drawn.append(line(x(value.low), 8, x(value.high), 8, "whisker"))
    drawn.append(marker(x(value.value or 0.0), 8, series))
    return element("svg", drawn, viewBox="0 0 80 16", width=80, height=16, class_="mini", aria_hidden="true")
