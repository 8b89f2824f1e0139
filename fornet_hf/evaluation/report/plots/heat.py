"""Heat maps of the nine cells, on one scale of colours for all models."""

from __future__ import annotations

from collections.abc import Sequence

from fornet_hf.evaluation.report.html import Markup, element
from fornet_hf.evaluation.report.numbers import Unit
from fornet_hf.evaluation.report.plots.drawing import WIDTH, drawing, label
from fornet_hf.evaluation.statistics.values import Value

_CELL, _GAP = 84, 3
_STOPS = ((255, 243, 196), (250, 204, 110), (222, 143, 88), (165, 88, 101), (96, 58, 110), (38, 37, 84))
"""From light to dark, each step as dark for those who see no red or green; the same in light and dark pages."""

_NAMES = (
    "top left", "top", "top right", "left", "centre", "right", "bottom left", "bottom", "bottom right",
)  # fmt: skip


def heat_map(title: str, cells: Sequence[Value | None], unit: Unit, low: float, high: float) -> Markup:
    """Draw nine cells, row by row.

    Args:
        title: says what the numbers are.
        cells: nine; None: not measured.
        unit: of the numbers.
        low: number of the first colour of the scale.
        high: of the last.
    """
    left = (WIDTH - 3 * _CELL) / 2
    drawn = []
    for number, value in enumerate(cells):
        row, column = divmod(number, 3)
        drawn.append(_cell(_NAMES[number], value, unit, (left + column * _CELL, row * _CELL), (low, high)))
    return drawing(3 * _CELL, title, drawn)


def _cell(name: str, value: Value | None, unit: Unit, at: tuple[float, float], ends: tuple[float, float]) -> Markup:
    side, middle = _CELL - _GAP, (at[0] + (_CELL - _GAP) / 2, at[1] + (_CELL - _GAP) / 2)
    box = {"x": at[0], "y": at[1], "width": side, "height": side, "rx": 4}
    if value is None or value.value is None:
        words = "not measured" if value is None else unit.full(None)
        return element(
            "g", element("rect", **box, class_="void"), label(*middle, words, class_="faint", anchor="middle")
        )
    share = (value.value - ends[0]) / ((ends[1] - ends[0]) or 1.0)
    rgb = shade(share)
    class_ = "on-dark" if _luminance(rgb) < 0.18 else "on-light"
    body = element("title", f"{name}: {unit.sentence(value)}, n = {value.n}")
    rect = element("rect", **box, fill=_hexadecimal(rgb))
    number = label(middle[0], middle[1] - 6, unit.bare(value.value), class_=f"cell {class_}", anchor="middle")
    interval = label(middle[0], middle[1] + 15, unit.interval(value), class_=f"cellsmall {class_}", anchor="middle")
    return element("g", body, rect, number, interval)


def colour_scale(unit: Unit, low: float, high: float) -> Markup:
    """Draw the scale of colours with the numbers at its ends."""
    steps, width = 48, WIDTH - 130
    boxes = [
        element(
            "rect", x=65 + width * step / steps, y=4, width=width / steps + 0.5, height=14,
            fill=_hexadecimal(shade(step / (steps - 1))),
        )
        for step in range(steps)
    ]  # fmt: skip
    ends = [
        label(58, 11, unit.full(low), class_="tick", anchor="end"),
        label(WIDTH - 58, 11, unit.full(high), class_="tick"),
    ]
    return drawing(22, f"colours from {unit.full(low)} to {unit.full(high)}", boxes, ends)


def shade(share: float) -> tuple[int, int, int]:
    """Return the colour (0 to 255 each) at a share (0 to 1) of the scale."""
    place = min(1.0, max(0.0, share)) * (len(_STOPS) - 1)
    first = min(int(place), len(_STOPS) - 2)
    rest = place - first
    red, green, blue = (round(a + (b - a) * rest) for a, b in zip(_STOPS[first], _STOPS[first + 1], strict=True))
    return red, green, blue


def _luminance(rgb: tuple[int, int, int]) -> float:
    """Return the relative luminance of WCAG; above 0.18, black is easier to read on it than white."""
    linear = [(c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4) for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _hexadecimal(rgb: tuple[int, int, int]) -> str:
    return "#" + "".join(f"{c:02x}" for c in rgb)
