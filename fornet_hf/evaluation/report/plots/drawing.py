"""Pieces that all plots share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fornet_hf.evaluation.report.html import Markup, Node, element

WIDTH = 360  # pixels; on a phone, a plot is as wide as the screen, and its text as large as it was made
COLOURS = 8  # of series, as the style sheet has them
_CORNERS = {
    "square": [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
    "triangle": [(0, -1.2), (1.15, 0.9), (-1.15, 0.9)],
    "diamond": [(0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)],
    "cross": [
        (-1, -1.4), (0, -0.5), (1, -1.4), (1.4, -1), (0.5, 0), (1.4, 1),
        (1, 1.4), (0, 0.5), (-1, 1.4), (-1.4, 1), (-0.5, 0), (-1.4, -1),
    ],
}  # fmt: skip
_MARKERS = ("circle", *_CORNERS)


@dataclass(frozen=True, kw_only=True)
class Range:
    """A range of numbers, drawn from one pixel to another."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, number: float) -> float:
        """Return the pixel of a number; those out of the range are at its ends."""
        share = (number - self.low) / (self.high - self.low)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)


def drawing(height: float, title: str, *content: Node) -> Markup:
    """Return a drawing of that height, with a title for those who do not see it."""
    box = f"0 0 {WIDTH} {height:g}"
    return element("svg", element("title", title), *content, viewBox=box, role="img", class_="plot", width=WIDTH)


def label(x: float, y: float, *content: Node, class_: str = "", anchor: str = "start") -> Markup:
    """Return text whose middle is at height `y`."""
    return element("text", *content, x=x, y=y, dy="0.35em", text_anchor=anchor, class_=class_ or None)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Return a straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def colour(number: int) -> str:
    """Return the class of a series' colour."""
    return f"c{number % COLOURS}"


def marker(x: float, y: float, number: int, size: float = 4) -> Markup:
    """Return the marker of a series: its shape tells it apart where colours do not."""
    shape = _MARKERS[number % len(_MARKERS)]
    class_ = f"mark {colour(number)}"
    if shape == "circle":
        return element("circle", cx=x, cy=y, r=size, class_=class_)
    points = path((x + size * dx, y + size * dy) for dx, dy in _CORNERS[shape])
    return element("polygon", points=points, class_=class_)


def path(points: Iterable[tuple[float, float]]) -> str:
    """Return points as SVG writes them."""
    return " ".join(f"{round(x, 2):g},{round(y, 2):g}" for x, y in points)


def swatch(number: int) -> Markup:
    """Return the marker of a series by itself, for legends and headings."""
    return element("svg", marker(7, 7, number, 5), viewBox="0 0 14 14", class_="swatch", width=14, aria_hidden="true")
