"""Place of a foreground on an image, and the pixels that are pasted there."""

from __future__ import annotations

from typing import NamedTuple

from PIL import Image

from fornet_hf.format.masks import Box
from fornet_hf.recombination.draw.composition import Bounds, Composition
from fornet_hf.recombination.draw.configuration import BILINEAR
from fornet_hf.recombination.pixels.cutout import Cutout
from fornet_hf.recombination.pixels.feather import feathered, reach


class Place(NamedTuple):
    """Place of the foreground on the output.

    Attributes:
        box: the part of it that shows, pixels of the output; beyond the output also what the feather draws on.
        source: what lies under `box`, pixels of the tight box.
        radius: of the feather in x and y, pixels of the output.
    """

    box: Box
    source: Bounds
    radius: tuple[float, float]

    @classmethod
    def of(cls, composition: Composition, cutout: Cutout | None) -> Place | None:
        """Return the place; None if nothing of the foreground shows."""
        if cutout is None or composition.size is None:
            return None
        shape = cutout.shape
        x = _along(composition, 0, shape.width / composition.size[0], shape.width)
        y = _along(composition, 1, shape.height / composition.size[1], shape.height)
        if x is None or y is None:
            return None
        (x0, x1), (left, right), x_radius = x
        (y0, y1), (top, bottom), y_radius = y
        return cls((x0, y0, x1, y1), (left, top, right, bottom), (x_radius, y_radius))

    def filled(self, cutout: Cutout, interpolation: str = BILINEAR) -> tuple[Image.Image, Image.Image]:
        """Return the colours (RGB) and the soft-edged mask (L) that are pasted at the corner of `box`.

        They depend on `source`, `size` and `radius` alone: places that differ in the corner show the same pixels.
        """
        colours, levels = cutout.scaled(self.source, self.size, interpolation)
        return colours, feathered(levels, self.radius)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of `box`."""
        return self.box[2] - self.box[0], self.box[3] - self.box[1]


Pair = tuple[int, int]


def _along(
    composition: Composition, axis: int, pixel: float, limit: int
) -> tuple[Pair, tuple[float, float], float] | None:
    """Return box, source and radius of a `Place` along one axis; None if nothing shows.

    Args:
        pixel: pixels of the tight box per pixel of the scaled foreground.
        limit: width or height of the tight box.
    """
    start, end, output = composition.window[axis], composition.window[axis + 2], composition.output[axis]
    first, last = composition.part[axis], composition.part[axis + 2]
    zoom = output / (end - start)
    at = composition.offset[axis] - start
    extent = round(at * zoom), round((at + last - first) * zoom)  # may reach beyond the output
    if max(extent[0], 0) >= min(extent[1], output):
        return None
    radius = composition.sigma * zoom
    margin = reach(radius)
    box = max(extent[0], -margin), min(extent[1], output + margin)
    low, high = (min(max((first - at + edge / zoom) * pixel, 0.0), float(limit)) for edge in box)
    return box, (low, high), radius
