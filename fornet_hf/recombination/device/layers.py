"""A composition that is yet to be composed: the pixels, or the bytes, that it shows, and where they go.

Workers make these; nothing here needs torch. Filters and places are those of `pixels/`, so both ways show the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.format import jpeg
from fornet_hf.format.jpeg import Rectangle
from fornet_hf.format.masks import Box
from fornet_hf.recombination.draw.composition import Bounds, Composition, Size
from fornet_hf.recombination.draw.configuration import BILINEAR
from fornet_hf.recombination.pixels.compositing import original, place_in_original, rendering
from fornet_hf.recombination.pixels.cutout import Cutout
from fornet_hf.recombination.pixels.decoding import ImageLike, region_for
from fornet_hf.recombination.pixels.feather import half_width
from fornet_hf.recombination.pixels.parts import Parts
from fornet_hf.recombination.pixels.placing import Place
from fornet_hf.recombination.pixels.quads import Quads, quads_of
from fornet_hf.recombination.pixels.scaling import SUPPORT, is_whole
from fornet_hf.recombination.pixels.span import Span
from fornet_hf.recombination.pixels.steps import Steps

PIXELS, JPEG = "pixels", "jpeg"
WAYS = (PIXELS, JPEG)
Bytes = npt.NDArray[np.uint8]


class Axis(NamedTuple):
    """One axis of a source: pixel i of the output has its centre at `start` + (i + .5) * `step`.

    Attributes:
        start: pixels of the source.
        step: pixels of the source per pixel of the output.
        length: pixels of the source; the filter sees none beyond.
    """

    start: float
    step: float
    length: int


@dataclass(frozen=True)
class Pixels:
    """Decoded pixels of a layer: uint8, height x width x 4; the fourth is the object's mask, if there is one."""

    quads: Quads
    x: Axis
    y: Axis


@dataclass(frozen=True)
class Codes:
    """A layer as a JPEG, of which the pixels of `x` and `y` begin at `corner`.

    Attributes:
        data: a restart-coded JPEG.
        size: its width and height.
        corner: x and y of the source's first pixel in it.
        x: axis.
        y: axis.
        mask: packed bits, a row of height x ceil(width / 8) bytes; None: a background.
    """

    data: bytes
    size: Size
    corner: tuple[int, int]
    x: Axis
    y: Axis
    mask: Bytes | None = None


Layer = Pixels | Codes


@dataclass(frozen=True, repr=False)
class Deferred:
    """One image that is yet to be composed: `Compositor()(collate(examples))` gives the images of several examples.

    Attributes:
        output: width and height, pixels.
        flip: mirrored at the end.
        background: fills the output.
        foreground: the object; None: nothing is pasted.
        place: its box on the output, which may reach beyond it.
        pasted: whether the object is pasted; else its mask alone is wanted, as the background shows it already.
        halves: half widths in x and y of the box whose three passes feather the mask; 0: it is left alone.
        interpolation: "bilinear" or "bicubic".
        with_mask: whether the mask on the output is wanted.
    """

    output: Size
    flip: bool
    background: Layer
    foreground: Layer | None = None
    place: Box = (0, 0, 0, 0)
    pasted: bool = True
    halves: tuple[float, float] = (0.0, 0.0)
    interpolation: str = BILINEAR
    with_mask: bool = False

    def __repr__(self) -> str:
        size = "{} x {}".format(*self.output)
        mirrored = ", mirrored" if self.flip else ""
        if self.foreground is None or not self.pasted:
            return f"Deferred({size}{mirrored}: {_told(self.background)})"
        place = f"{_told(self.foreground)} at {self.place}"
        return f"Deferred({size}{mirrored}: {place} on {_told(self.background)})"


def _told(layer: Layer) -> str:
    if isinstance(layer, Codes):
        return "a JPEG of {} x {}".format(*layer.size)
    return "pixels of {1} x {0}".format(*layer.quads.shape)


def deferring(parts: Parts, composition: Composition, way: str, *, with_mask: bool = False) -> Steps[Deferred]:
    """Fetch what a composition shows, and decode it if `way` is "pixels"; see `pixels.compositing.rendering`.

    A composition that is scaled after pasting (`paste_first`, as in evaluation) is composed here, as on the CPU.

    Raises:
        ConfigurationError: a part that the composition shows is missing.
    """
    box, output, interpolation = composition.background_box, composition.output, composition.interpolation
    if composition.paste_first:
        image, mask = yield from rendering(parts, composition, with_mask=with_mask)
        deferred = Deferred(output, False, _whole(image), interpolation=interpolation, with_mask=with_mask)
        return deferred if mask is None else _with_mask(deferred, _of_mask(np.asarray(mask)), (0, 0, *output))
    if parts.background is None or (parts.cutout is None and (composition.size or composition.original)):
        what, allowed = "the row lacks a part that this composition shows", "a row which has it"
        raise ConfigurationError(explain(what, found=composition, allowed=allowed))
    source = original(parts) if composition.original else parts.background
    background = _background(source, box, output, interpolation, coded=way == JPEG)
    deferred = Deferred(output, composition.flip, background, interpolation=interpolation, with_mask=with_mask)
    place = Place.of(composition, parts.cutout) if not composition.original else None
    if composition.original and with_mask:
        place = place_in_original(parts, composition)
    if place is None or parts.cutout is None:
        return deferred
    if composition.original:
        levels, (x, y) = parts.cutout.unscaled_mask(place.source, place.size, interpolation)
        seen = _of_mask(levels[y.first : y.last, x.first : x.last])
        return _with_mask(deferred, replace(seen, x=_along(x), y=_along(y)), place.box)
    yield
    size = parts.cutout.coded_size if way == JPEG else None
    if size is None:
        foreground: Layer = _foreground(parts.cutout, place, interpolation)
    else:
        foreground = _coded_foreground(parts.cutout, size, place, interpolation)
    first, second = place.radius
    halves = (half_width(first), half_width(second)) if first or second else (0.0, 0.0)
    return replace(deferred, foreground=foreground, place=place.box, halves=halves)


def _with_mask(deferred: Deferred, mask: Pixels, place: Box) -> Deferred:
    return replace(deferred, foreground=mask, place=place, pasted=False)


def _whole(image: Image.Image) -> Pixels:
    return Pixels(quads_of(image), Axis(0, 1, image.width), Axis(0, 1, image.height))


def _of_mask(mask: Bytes) -> Pixels:
    """Return a mask, 0 to 255, height x width, as the fourth byte of black pixels."""
    height, width = mask.shape
    quads = np.zeros((height, width, 4), np.uint8)
    quads[..., 3] = mask
    return Pixels(quads, Axis(0, 1, width), Axis(0, 1, height))


def _background(source: ImageLike, box: Bounds, output: Size, interpolation: str, *, coded: bool) -> Layer:
    size = jpeg.size_of(source) if coded and isinstance(source, bytes) else None
    if isinstance(source, bytes) and size is not None:
        return _coded_background(source, size, box, output, interpolation)
    region = region_for(source, box, output, interpolation)
    height, width, _ = region.quads.shape
    left, top, right, bottom = region.inside(box)
    x, y, (at, down) = _axes((left, top, min(right, width), min(bottom, height)), (width, height), output)
    return Pixels(region.quads[down : down + y.length, at : at + x.length], x, y)


def _coded_background(source: bytes, size: Size, box: Bounds, output: Size, interpolation: str) -> Codes:
    scales = (box[2] - box[0]) / output[0], (box[3] - box[1]) / output[1]
    margin = 1 if is_whole(box) else 2 + math.ceil(SUPPORT[interpolation] * max(1.0, *scales))
    data, part = _cut(source, size, box, margin)
    width, height = part[2] - part[0], part[3] - part[1]
    inside = box[0] - part[0], box[1] - part[1], box[2] - part[0], box[3] - part[1]
    x, y, corner = _axes(inside, (width, height), output)
    return Codes(data, (width, height), corner, x, y)


def _axes(box: Bounds, size: Size, output: Size) -> tuple[Axis, Axis, tuple[int, int]]:
    """Return both axes and their first pixels: the filter sees none beyond a box of whole pixels, as in `scaled`."""
    steps = (box[2] - box[0]) / output[0], (box[3] - box[1]) / output[1]
    if not is_whole(box):
        return Axis(box[0], steps[0], size[0]), Axis(box[1], steps[1], size[1]), (0, 0)
    left, top, right, bottom = (int(edge) for edge in box)
    return Axis(0, steps[0], right - left), Axis(0, steps[1], bottom - top), (left, top)


def _foreground(cutout: Cutout, place: Place, interpolation: str) -> Pixels:
    quads, (x, y), _ = cutout.seen(place.source, place.size, interpolation)
    return Pixels(quads[y.first : y.last, x.first : x.last], _along(x), _along(y))


def _coded_foreground(cutout: Cutout, size: Size, place: Place, interpolation: str) -> Codes:
    source, mask, (x, y) = cutout.unscaled(place.source, place.size, interpolation)
    data, part = _cut(source, size, (x.first, y.first, x.last, y.last), 1)
    bits = mask.part((x.first, y.first, x.last, y.last))
    corner = x.first - part[0], y.first - part[1]
    return Codes(data, (part[2] - part[0], part[3] - part[1]), corner, _along(x), _along(y), bits)


def _along(span: Span) -> Axis:
    return Axis(span.start, span.step, span.last - span.first)


_WORTH_A_CUT = 2**18  # pixels: a GPU decodes as many whole images a second as cuts, and a worker is spared the cut


def _cut(data: bytes, size: Size, box: Bounds, margin: int) -> tuple[bytes, Box]:
    """Return the JPEG of at least a box and its place, whole where cutting spares little."""
    if size[0] * size[1] <= _WORTH_A_CUT:
        return data, (0, 0, *size)
    grown = (
        max(0, math.floor(box[0]) - margin),
        max(0, math.floor(box[1]) - margin),
        min(size[0], math.ceil(box[2]) + margin),
        min(size[1], math.ceil(box[3]) + margin),
    )
    area = Rectangle.around(grown, size)
    part = area.pixels(size)
    if size[0] * size[1] - (part[2] - part[0]) * (part[3] - part[1]) <= _WORTH_A_CUT:
        return data, (0, 0, *size)
    return jpeg.cut(data, area), part
