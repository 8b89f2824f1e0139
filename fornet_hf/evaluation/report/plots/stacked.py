"""Shares of a whole, side by side in one bar."""

from __future__ import annotations

from collections.abc import Sequence

from fornet_hf.evaluation.report.html import Markup, element
from fornet_hf.evaluation.report.numbers import PERCENT
from fornet_hf.evaluation.report.plots.drawing import WIDTH, drawing, label
from fornet_hf.evaluation.statistics.values import Value

_HEIGHT = 34


def stacked(title: str, parts: Sequence[tuple[str, Value]]) -> Markup:
    """Draw one bar of shares (0 to 1), each with its number where there is room; names belong to a legend."""
    at, drawn = 0.0, []
    for number, (name, value) in enumerate(parts):
        if value.value is None:
            continue
        width = value.value * WIDTH
        body = element("title", f"{name}: {PERCENT.sentence(value)}, n = {value.n}")
        rect = element("rect", x=at, y=0, width=max(width - 1, 0), height=_HEIGHT, class_=f"share k{number % 5}")
        written = PERCENT.bare(value.value)
        if width <= 8 * len(written):
            written = f"{100 * value.value:.0f}"
        room = width > 8 * len(written)
        words = (
            label(at + width / 2, _HEIGHT / 2, written, class_=f"share-{number % 5}", anchor="middle")
            if room
            else None
        )
        drawn.append(element("g", body, rect, words))
        at += width
    return drawing(_HEIGHT, title, drawn)
