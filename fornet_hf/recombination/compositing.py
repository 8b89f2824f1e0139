"""Pixels from a composition. Nothing is drawn here.

One path serves both uses: without a crop the window is the whole canvas at scale 1; with a crop, only what lies
in the window is decoded and scaled, straight to the output's size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, NamedTuple

from PIL import Image, ImageFilter

from fornet_hf import jpeg
from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.jpeg import Rectangle
from fornet_hf.masks import Box
from fornet_hf.recombination.composition import Composition
from fornet_hf.recombination.cutout import Cutout
from fornet_hf.recombination.decoding import Picture, decode_part, decoded, encoded
from fornet_hf.recombination.scaling import Bounds
from fornet_hf.rows import Row

# The feather goes inwards only: what the blur left at one half or below vanishes.
_INWARDS = [2 * value - 255 if value > 128 else 0 for value in range(256)]


class Composed(NamedTuple):
    """A recombined picture.

    Attributes:
        image: RGB.
        mask: mode L, of the same size: what was pasted. None if not asked for.
    """

    image: Image.Image
    mask: Image.Image | None


def compose(row: Row | Mapping[str, Any], background: Picture | None, composition: Composition) -> Composed:
    """Replay a composition.

    Args:
        row: the row whose foreground is shown, as the dataset gives it without a transform.
        background: bytes or picture of the background; None: the row's own.
        composition: what was drawn for that row.

    Raises:
        ConfigurationError: the row lacks a part that the composition shows.
    """
    parts = Parts.of(row)
    if background is not None:
        parts = parts._replace(background=background)
    return render(parts, composition, with_mask=True)


class Parts(NamedTuple):
    """The pictures that one example is made of: bytes, or decoded pictures."""

    cutout: Cutout | None
    foreground: Picture | None
    box: Box | None
    background: Picture | None

    @classmethod
    def of(cls, row: Row | Mapping[str, Any]) -> Parts:
        """Those of a row: its foreground, and its own background."""
        columns = asdict(row) if isinstance(row, Row) else row
        foreground, mask, background = (encoded(columns[name]) for name in ("foreground", "mask", "background"))
        cutout, box = None, columns["box"]
        if foreground is not None and mask is not None:
            cutout = Cutout.of_bytes(foreground, mask, columns["foreground_ratio"])
        return cls(cutout, foreground, None if box is None else (box[0], box[1], box[2], box[3]), background)


def render(parts: Parts, composition: Composition, *, with_mask: bool) -> Composed:
    """The picture, and on request the mask. `parts.background` is the background that the composition names.

    Raises:
        ConfigurationError: a part that the composition shows is missing.
    """
    if parts.background is None or (parts.cutout is None and (composition.size or composition.original)):
        raise ConfigurationError(
            explain(
                "the row lacks a part that this composition shows", found=composition, allowed="a row which has it"
            )
        )
    if composition.original:
        return _render_original(parts, composition, with_mask=with_mask)
    image = decode_part(parts.background, composition.background_box, composition.output)
    mask = Image.new("L", composition.output) if with_mask else None
    place = _Place.of(composition, parts.cutout)
    if parts.cutout is not None and place is not None:
        alpha = place.alpha(parts.cutout)
        image.paste(parts.cutout.colours(place.source(place.visible), place.size), place.visible[:2], alpha)
        if mask is not None:
            mask.paste(alpha, place.visible[:2])
    return _flipped(image, mask, composition)


def _render_original(parts: Parts, composition: Composition, *, with_mask: bool) -> Composed:
    """The picture before it was taken apart: the foreground's crop covers all that was infilled."""
    image = decode_part(_original(parts), composition.background_box, composition.output)
    mask = None
    if with_mask and parts.cutout is not None and parts.box is not None:
        mask = Image.new("L", composition.output)
        where = parts.cutout.placed_at(parts.box[:2])
        place = _Place.of(replace(composition, window=composition.background_box, **where), parts.cutout)
        if place is not None:
            mask.paste(place.alpha(parts.cutout), place.visible[:2])
    return _flipped(image, mask, composition)


def _original(parts: Parts) -> Picture:
    background, foreground, box = parts.background, parts.foreground, parts.box
    if background is None or foreground is None or box is None:
        raise ConfigurationError("the original picture needs foreground, box and background of its row")
    if isinstance(background, bytes) and isinstance(foreground, bytes):
        size = jpeg.size_of(background)
        if size is not None and jpeg.size_of(foreground) is not None and box[0] % jpeg.MCU == box[1] % jpeg.MCU == 0:
            return jpeg.splice(background, foreground, Rectangle.around(box, size))
    whole = decoded(background).copy()
    whole.paste(decoded(foreground), box[:2])
    return whole


def _flipped(image: Image.Image, mask: Image.Image | None, composition: Composition) -> Composed:
    if not composition.flip:
        return Composed(image, mask)
    mirror = Image.Transpose.FLIP_LEFT_RIGHT
    return Composed(image.transpose(mirror), None if mask is None else mask.transpose(mirror))


class _Place(NamedTuple):
    """Where the foreground lies on the output.

    Attributes:
        visible: the part of it that shows, pixels of the output.
        extent: all of the pasted part, pixels of the output; may reach beyond the output.
        radius: of the feather in x and y, pixels of the output.
        axes: for x and y, the tight box's coordinate at the output's origin, and its pixels per pixel of the output.
        limits: width and height of the tight box.
    """

    visible: Box
    extent: Box
    radius: tuple[float, float]
    axes: tuple[tuple[float, float], tuple[float, float]]
    limits: tuple[int, int]

    @classmethod
    def of(cls, composition: Composition, cutout: Cutout | None) -> _Place | None:
        """None if nothing of the foreground shows."""
        if cutout is None or composition.size is None:
            return None
        limits = cutout.shape.width, cutout.shape.height
        extent, visible, axes, radius = [], [], [], []
        for axis in (0, 1):
            start, length = composition.window[axis], composition.window[axis + 2] - composition.window[axis]
            zoom = composition.output[axis] / length
            at = composition.offset[axis] - start
            ends = round(at * zoom), round((at + composition.part[axis + 2] - composition.part[axis]) * zoom)
            extent.append(ends)
            visible.append((max(ends[0], 0), min(ends[1], composition.output[axis])))
            if visible[axis][0] >= visible[axis][1]:
                return None
            pixel = limits[axis] / composition.size[axis]
            axes.append(((composition.part[axis] - at) * pixel, pixel / zoom))
            radius.append(composition.sigma * zoom)
        return cls(
            (visible[0][0], visible[1][0], visible[0][1], visible[1][1]),
            (extent[0][0], extent[1][0], extent[0][1], extent[1][1]),
            (radius[0], radius[1]),
            (axes[0], axes[1]),
            limits,
        )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of what shows, pixels of the output."""
        return self.visible[2] - self.visible[0], self.visible[3] - self.visible[1]

    def source(self, box: Box) -> Bounds:
        """The pixels of the tight box that lie under `box` of the output."""
        x0, y0, x1, y1 = (
            min(max(self.axes[i % 2][0] + edge * self.axes[i % 2][1], 0.0), float(self.limits[i % 2]))
            for i, edge in enumerate(box)
        )
        return x0, y0, x1, y1

    def alpha(self, cutout: Cutout) -> Image.Image:
        """The feathered mask of what shows."""
        margins = [math.ceil(3 * radius) for radius in self.radius]  # what the blur draws on
        box = (
            max(self.extent[0], self.visible[0] - margins[0]),
            max(self.extent[1], self.visible[1] - margins[1]),
            min(self.extent[2], self.visible[2] + margins[0]),
            min(self.extent[3], self.visible[3] + margins[1]),
        )
        alpha = cutout.alpha(self.source(box), (box[2] - box[0], box[3] - box[1]))
        alpha = alpha.filter(ImageFilter.GaussianBlur(self.radius)).point(_INWARDS)
        x, y = self.visible[0] - box[0], self.visible[1] - box[1]
        return alpha if box == self.visible else alpha.crop((x, y, x + self.size[0], y + self.size[1]))
