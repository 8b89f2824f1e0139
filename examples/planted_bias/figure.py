"""The figure of the experiment: a panel for each measure, a point for each network."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from planted_bias.outcome import ARMS, BIASES, IDEAL, Run, planted_in, summary

_PANEL, _GAP, _LEFT, _TOP, _ROW, _FOOT, _SCALE = 270, 60, 110, 56, 34, 44, 2
_INKS = {"images as they are": "#d55e00", "ForNet": "#0072b2"}
_FAINT, _BAND = "#777777", "#eef1f4"


def figure(runs: Sequence[Run]) -> Image.Image:
    """Draw all runs: a point for each network, a bar for the interval of the mean, a line where no bias is.

    A band is behind the networks of a measure's own bias.
    """
    page = _Page(_LEFT + _PANEL * len(IDEAL), _TOP + 2 * _ROW * len(planted_in(runs)) + _FOOT)
    for row, planted in enumerate(planted_in(runs)):
        page.text(8, _TOP + (2 * row + 1) * _ROW, f"{planted}\nplanted")
    for number, (measure, own) in enumerate(zip(IDEAL, BIASES, strict=True)):
        _panel(page, runs, measure, own, _LEFT + _PANEL * number + 10)
    for number, (arm, ink) in enumerate(_INKS.items()):
        page.text(_LEFT + 10 + 210 * number, page.height - 10, f"trained on {arm}", ink=ink)
    return page.image


class _Page:
    """A white page, measured in pixels of which `_SCALE` are drawn for one."""

    def __init__(self, width: int, height: int) -> None:
        self.height = height
        self.image = Image.new("RGB", (width * _SCALE, height * _SCALE), "white")
        self._draw = ImageDraw.Draw(self.image)

    def text(self, x: float, y: float, words: str, size: int = 11, anchor: str = "lm", ink: str = "black") -> None:
        font = ImageFont.load_default(size * _SCALE)
        self._draw.text((x * _SCALE, y * _SCALE), words, ink, font, anchor=anchor)

    def bar(self, x0: float, y0: float, x1: float, y1: float, ink: str, wide: int = 1) -> None:
        self._draw.line([edge * _SCALE for edge in (x0, y0, x1, y1)], ink, wide * _SCALE)

    def band(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self._draw.rectangle([edge * _SCALE for edge in (x0, y0, x1, y1)], _BAND)

    def point(self, x: float, y: float, ink: str) -> None:
        self._draw.ellipse([edge * _SCALE for edge in (x - 3, y - 3, x + 3, y + 3)], outline=ink, width=_SCALE)


def _panel(page: _Page, runs: Sequence[Run], measure: str, own: str, left: float) -> None:
    known = [value for run in runs if (value := run.values[measure]) is not None]
    low, high = min(0.0, *known), max(1.0, *known)
    bottom = page.height - _FOOT + 4

    def x(value: float) -> float:
        return left + (min(max(value, low), high) - low) / (high - low) * (_PANEL - _GAP)

    if own in planted_in(runs):
        top = _TOP + 2 * _ROW * planted_in(runs).index(own)
        page.band(left - 12, top, left + _PANEL - _GAP + 12, top + 2 * _ROW)
    page.text(left, 18, measure, 13)
    page.bar(x(IDEAL[measure]), _TOP - 14, x(IDEAL[measure]), bottom, "#aaaaaa")
    page.text(x(IDEAL[measure]), _TOP - 20, "no bias", anchor="mb", ink=_FAINT)
    for end in (0, 1):
        page.text(x(end), bottom + 10, str(end), anchor="mm", ink=_FAINT)
    for row, (planted, arm) in enumerate((planted, arm) for planted in planted_in(runs) for arm in ARMS):
        y, ink = _TOP + _ROW * (row + 0.5), _INKS[arm]
        for run in runs:
            value = run.values[measure]
            if (run.planted, run.arm) == (planted, arm) and value is not None:
                page.point(x(value), y, ink)
        if (found := summary(runs, planted, arm, measure)) is not None:
            mean, half = found
            page.bar(x(mean), y - 9, x(mean), y + 9, ink, 2)
            if not math.isnan(half):
                page.bar(x(mean - half), y, x(mean + half), y, ink, 2)
