"""A figure of dots: a panel for each measure, a row for each kind of network, a dot for each network."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from PIL import Image, ImageDraw, ImageFont

from outcomes.interval import interval

_GAP, _TOP, _FOOT, _SCALE = 60, 56, 44, 2
_FAINT, _BAND = "#777777", "#eef1f4"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One kind of network.

    Attributes:
        ink: colour of its dots.
        values: of each of its networks, by the titles of the panels; None where not defined.
    """

    ink: str
    values: Mapping[str, Sequence[float | None]]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rows with one label at their left.

    Attributes:
        label: a line or more.
        rows: from the top.
        banded: titles of the panels that have a grey band behind these rows.
    """

    label: str
    rows: Sequence[Row]
    banded: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Dots:
    """The figure.

    Attributes:
        panels: for each title, where its line stands and the words above it; None: it has no line.
        groups: from the top.
        legend: words and their colours.
        left: width of the labels, pixels.
        panel: width of a panel, pixels.
        row: height of a row, pixels.
    """

    panels: Mapping[str, tuple[float, str] | None]
    groups: Sequence[Group]
    legend: Mapping[str, str] = field(default_factory=dict)
    left: int = 110
    panel: int = 270
    row: int = 34

    def drawn(self) -> Image.Image:
        """Draw all: a dot for each network, a bar for the interval of the mean."""
        height = self.row * sum(len(group.rows) for group in self.groups)
        page = _Page(self.left + self.panel * len(self.panels), _TOP + height + _FOOT)
        top = float(_TOP)
        for group in self.groups:
            page.text(8, top + self.row * len(group.rows) / 2, group.label)
            top += self.row * len(group.rows)
        for number, title in enumerate(self.panels):
            self._panel(page, title, self.left + self.panel * number + 10)
        for number, (words, ink) in enumerate(self.legend.items()):
            page.text(self.left + 10 + 210 * number, page.height - 10, words, ink=ink)
        return page.image

    def _panel(self, page: _Page, title: str, left: float) -> None:
        rows = [row for group in self.groups for row in group.rows]
        known = [value for row in rows for value in row.values[title] if value is not None]
        low, high = min([0.0, *known]), max([1.0, *known])
        width, bottom = self.panel - _GAP, page.height - _FOOT + 4

        def x(value: float) -> float:
            return left + (min(max(value, low), high) - low) / (high - low) * width

        top = float(_TOP)
        for group in self.groups:
            if title in group.banded:
                page.band(left - 12, top, left + width + 12, top + self.row * len(group.rows))
            top += self.row * len(group.rows)
        page.text(left, 18, title, 13)
        if (line := self.panels[title]) is not None:
            page.bar(x(line[0]), _TOP - 14, x(line[0]), bottom, "#aaaaaa")
            page.text(x(line[0]), _TOP - 20, line[1], anchor="mb", ink=_FAINT)
        for end in (0, 1):
            page.text(x(end), bottom + 10, str(end), anchor="mm", ink=_FAINT)
        for number, row in enumerate(rows):
            _marks(page, row, title, x, _TOP + self.row * (number + 0.5))


def _marks(page: _Page, row: Row, title: str, x: Callable[[float], float], y: float) -> None:
    """Draw the dots and the interval of a row; `x` gives the place of a value, pixels."""
    for value in row.values[title]:
        if value is not None:
            page.point(x(value), y, row.ink)
    if (found := interval(row.values[title])) is not None:
        mean, half = found
        page.bar(x(mean), y - 9, x(mean), y + 9, row.ink, 2)
        if not math.isnan(half):
            page.bar(x(mean - half), y, x(mean + half), y, row.ink, 2)


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
