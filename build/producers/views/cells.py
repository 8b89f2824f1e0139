"""Cells of a sheet: an image with lines of text below, or a text instead of an image."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from fornet_hf.preview import wrap
from producers.scene import Raster
from producers.views.drawing import Colour, fitted

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

SIZE = (256, 192)  # pixels of the image in a cell
_LINE = 16  # pixels of a line of text
_INK, _PAPER, _EMPTY = (64, 64, 64), (255, 255, 255), (238, 238, 238)


class Note(NamedTuple):
    """A line below an image.

    Attributes:
        text: cut where it is too long.
        colour: of a square in front of it; None: there is none.
    """

    text: str
    colour: Colour | None = None


@dataclass(frozen=True)
class Cell:
    """One place of a sheet.

    Attributes:
        image: uint8, height x width x 3; None: nothing.
        notes: below it.
        text: in place of the image.
    """

    image: Raster | None = None
    notes: Sequence[Note] = ()
    text: str = ""


def drawn(rows: Sequence[Sequence[Cell]]) -> list[list[Image.Image]]:
    """Return the cells of a sheet as images of one size: as high as the longest notes need."""
    lines = max((len(cell.notes) for row in rows for cell in row), default=0)
    return [[_drawn(cell, lines) for cell in row] for row in rows]


def _drawn(cell: Cell, lines: int) -> Image.Image:
    page = Image.new("RGB", (SIZE[0], SIZE[1] + (lines and lines * _LINE + 8)), _PAPER)
    draw, font, bottom = ImageDraw.Draw(page), ImageFont.load_default(13), 0
    if cell.image is not None:
        small = Image.fromarray(fitted(cell.image, SIZE))
        page.paste(small, (0, 0))
        bottom = small.height
    elif cell.text:
        _write(draw, cell.text, font)
        bottom = SIZE[1]
    for number, note in enumerate(cell.notes):
        y, left = bottom + 3 + number * _LINE, 0
        if note.colour is not None:
            draw.rectangle((0, y + 3, 9, y + 12), note.colour)
            left = 15
        draw.text((left, y + _LINE / 2), _cut(note.text, font, SIZE[0] - left), _INK, font, anchor="lm")
    return page


def _write(draw: ImageDraw.ImageDraw, text: str, font: Font) -> None:
    """Write a text in place of an image; the end of a long one is left out."""
    draw.rectangle((0, 0, SIZE[0] - 1, SIZE[1] - 1), _EMPTY)
    lines, room = wrap(text, font, SIZE[0] - 16).split("\n"), (SIZE[1] - 16) // _LINE
    shown = lines if len(lines) <= room else [*lines[: room - 1], "..."]
    for number, line in enumerate(shown):
        draw.text((8, 8 + (number + 0.5) * _LINE), line, _INK, font, anchor="lm")


def _cut(text: str, font: Font, width: int) -> str:
    """Return as much of a text as fits into a width."""
    if font.getlength(text) <= width:
        return text
    fits = bisect_right(range(len(text)), float(width), key=lambda n: float(font.getlength(f"{text[:n]} ..."))) - 1
    return f"{text[: max(0, fits)].rstrip()} ..."
