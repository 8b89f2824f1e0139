"""Frames: the way from a canvas to what a classifier sees of it, as a whole or for a part that changed.

A canvas is resized and cut to a square (`Preprocessing`). Where only an object differs between two canvases, only the
pixels that it reaches are made anew, to the same bytes:

- Pillow takes the edges of a box as 32-bit floats. A part begins and ends where its edges are such numbers, so that
  each pixel has the same filter as in the whole.
- Values are rounded to bytes after either pass, so the passes come in the order of the whole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import PIL
from PIL import Image
from PIL.Image import Resampling

from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.format.masks import Box
from fornet_hf.recombination.draw.composition import Size

_SUPPORT = {"bilinear": 1, "hamming": 1, "bicubic": 2, "lanczos": 3}  # these vanish at their ends
_MANTISSA = 24  # bits of a 32-bit float
_ROWS_ALWAYS_FIRST = int(PIL.__version__.partition(".")[0]) < 13


@dataclass(frozen=True)
class Frame:
    """The way from canvases of one size to what a classifier sees.

    Attributes:
        canvas: width and height of the canvases, pixels.
        resized: width and height of the whole canvas when resized.
        corner: of the square on the resized canvas; below 0 there is a black border.
        side: of the square, pixels.
        interpolation: as of `Preprocessing`.
    """

    canvas: Size
    resized: Size
    corner: tuple[int, int]
    side: int
    interpolation: str

    @classmethod
    def of(cls, preprocessing: Preprocessing, canvas: Size) -> Frame:
        """Return the frame of whole images: `view` gives what `Preprocessing.prepared` does."""
        size, corner = preprocessing.resized(canvas), preprocessing.corner(canvas)
        return cls(canvas, size, corner, preprocessing.size, preprocessing.interpolation)

    @classmethod
    def of_part(cls, preprocessing: Preprocessing, size: Size, part: Box) -> Frame:
        """Return the frame of images that were cut to the part (`seen_part`) that shows: only the scale is left."""
        whole = cls.of(preprocessing, size)
        x, y = (min(side, whole.side) for side in whole.resized)
        corner = min(whole.corner[0], 0), min(whole.corner[1], 0)
        canvas = part[2] - part[0], part[3] - part[1]
        return cls(canvas, (x, y), corner, whole.side, whole.interpolation)

    @property
    def all(self) -> Box:
        """The whole canvas as a box."""
        return 0, 0, *self.canvas

    @property
    def reads(self) -> Box:
        """The part of the canvas that shows; the rest may have any pixels."""
        tile = self.tile(self.all)
        return self.all if tile is None else tile.reads

    def view(self, canvas: Image.Image) -> npt.NDArray[np.uint8]:
        """Return what the classifier sees of a canvas (RGB, or L for all colours alike): uint8, 3 x side x side."""
        view = np.zeros((3, self.side, self.side), np.uint8)
        tile = self.tile(self.all)
        if tile is not None:
            tile.draw(canvas if tile.box == self.all else canvas.crop(tile.box), view)
        return view

    def tile(self, changed: Box) -> Tile | None:
        """Return the part of the view that depends on a box of the canvas; None: nothing of it shows."""
        x, y = (self._stretch(axis, changed[axis], changed[axis + 2]) for axis in (0, 1))
        if x is None or y is None:
            return None
        return Tile(x, y, rows_first=_rows_first(self.canvas, self.resized), interpolation=self.interpolation)

    def _stretch(self, axis: int, first: int, last: int) -> Stretch | None:
        canvas, resized, corner = self.canvas[axis], self.resized[axis], self.corner[axis]
        step = canvas / resized
        low, high = max(corner, 0), min(corner + self.side, resized)
        if low >= high or last <= 0 or first >= canvas:
            return None
        if self.interpolation not in _SUPPORT:
            return Stretch(0, canvas, 0, canvas, low, high, 0, resized, step, corner)
        reach = _SUPPORT[self.interpolation] * max(step, 1.0)
        low = max(low, math.floor((first - reach) / step - 0.5))
        high = min(high, math.ceil((last + reach) / step - 0.5) + 1)
        if low >= high:
            return None
        unit = resized // math.gcd(resized, canvas << max(0, _MANTISSA - canvas.bit_length()))
        start, end = low // unit * unit, min(resized, -(-high // unit) * unit)
        box = max(0, math.floor(start * step - reach)), min(canvas, math.ceil(end * step + reach))
        reads = max(0, math.floor(low * step - reach)), min(canvas, math.ceil(high * step + reach))
        return Stretch(*box, *reads, low, high, start, end, step, corner)


def seen_part(preprocessing: Preprocessing, size: Size) -> Box:
    """Return the whole pixels of an image that the classifier sees, of which there is one at least."""
    box, edges = preprocessing.box(size), []
    for axis, side in enumerate(size):
        extent = max(1, round(box[axis + 2] - box[axis]))
        start = min(round(box[axis]), side - extent)
        edges.append((start, start + extent))
    (left, right), (top, bottom) = edges
    return left, top, right, bottom


class Stretch(NamedTuple):
    """A tile along one axis.

    Attributes:
        first: first pixel of the canvas that the tile is made of.
        last: the pixel after the last one.
        reads: first pixel of the canvas that shows in the tile; those before count for nothing.
        reads_end: the pixel after the last one.
        low: first pixel of the resized canvas that is wanted.
        high: the pixel after the last one.
        start: first pixel of the resized canvas that is made.
        end: the pixel after the last one.
        step: pixels of the canvas per pixel of the resized one.
        corner: of the view on the resized canvas.
    """

    first: int
    last: int
    reads: int
    reads_end: int
    low: int
    high: int
    start: int
    end: int
    step: float
    corner: int


@dataclass(frozen=True)
class Tile:
    """Part of a view.

    Attributes:
        x: its columns.
        y: its rows.
        rows_first: whether columns are made before rows, by resizing each row.
        interpolation: as of `Preprocessing`.
    """

    x: Stretch
    y: Stretch
    rows_first: bool
    interpolation: str

    @property
    def box(self) -> Box:
        """The part of the canvas that it is made of."""
        return self.x.first, self.y.first, self.x.last, self.y.last

    @property
    def reads(self) -> Box:
        """The part of the canvas that it depends on; the rest of `box` may have any pixels."""
        return self.x.reads, self.y.reads, self.x.reads_end, self.y.reads_end

    def draw(self, image: Image.Image, view: npt.NDArray[np.uint8]) -> None:
        """Draw on a view (uint8, 3 x side x side) what it shows of an image: that under `box`, RGB or L."""
        for axis in (0, 1) if self.rows_first else (1, 0):
            image = self._pass(image, axis)
        rows, columns = (slice(one.low - one.corner, one.high - one.corner) for one in (self.y, self.x))
        pixels = np.asarray(image)
        view[:, rows, columns] = pixels.transpose(2, 0, 1) if pixels.ndim == 3 else pixels

    def _pass(self, image: Image.Image, axis: int) -> Image.Image:
        one = (self.x, self.y)[axis]
        box = [0.0, 0.0, *map(float, image.size)]
        box[axis], box[axis + 2] = (edge * one.step - one.first for edge in (one.start, one.end))
        box[axis + 2] = min(box[axis + 2], image.size[axis])  # the product may be rounded up
        size = list(image.size)
        size[axis] = one.end - one.start
        result = image.resize((size[0], size[1]), Resampling[self.interpolation.upper()], (*box,))  # type: ignore[arg-type]
        if size[axis] == one.high - one.low:
            return result
        wanted = [0, 0, *result.size]
        wanted[axis], wanted[axis + 2] = one.low - one.start, one.high - one.start
        return result.crop((*wanted,))  # type: ignore[arg-type]


def _rows_first(size: Size, resized: Size) -> bool:
    """Return the order of Pillow's passes: from 13 on columns come first where many more rows are lost."""
    lost = size[0] - resized[0], size[1] - resized[1]
    return _ROWS_ALWAYS_FIRST or not (lost[1] > 0 and lost[1] > 2 * lost[0])
