"""Decode the part of an image that is shown, at the size at which it is shown.

Images of ForNet are restart-coded (`fornet_hf.format.jpeg`): the blocks under a box are cut out of the file's bytes
and decoded alone, exactly. Any other image is decoded whole.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from PIL import Image

from fornet_hf.errors import SourceError, explain
from fornet_hf.features import unread_bytes
from fornet_hf.format import jpeg, rows
from fornet_hf.format.jpeg import Rectangle
from fornet_hf.format.masks import Box
from fornet_hf.format.raster import DECODE_ERRORS
from fornet_hf.recombination.draw.composition import Bounds, Size
from fornet_hf.recombination.draw.configuration import BILINEAR
from fornet_hf.recombination.pixels.decoders import load
from fornet_hf.recombination.pixels.quads import Quads, image_of, quads_of
from fornet_hf.recombination.pixels.scaling import SUPPORT, is_whole, scaled

ImageLike = bytes | Image.Image


class ImageError(SourceError):
    """The bytes of a foreground or background cannot be decoded."""


_NARROWEST = 5  # pixels; in narrower images libjpeg does not interpolate colours
_WORTH_A_CUT = 32_000  # pixels; cutting takes as long as decoding them


def encoded(value: object) -> ImageLike | None:
    """Return an image column's value as bytes where it still has them, else decoded; None for None.

    Takes all forms in which `datasets` hands out an Image column: an image (opened or loaded), a dict, bytes.

    Raises:
        ConfigurationError: none of these.
    """
    data = unread_bytes(value)
    if data is not None:
        return data
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, Mapping) and isinstance(value.get("bytes"), bytes):
        return bytes(value["bytes"])
    return rows.open_image(value)


def decoded(image: ImageLike) -> Image.Image:
    """Return all pixels, RGB.

    Raises:
        ImageError: damaged bytes; so do all functions here.
    """
    if isinstance(image, bytes):
        size = jpeg.size_of(image)
        return image_of(_load(image, size, 1)).copy() if size is not None else _load_any(image)
    return image if image.mode == "RGB" else image.convert("RGB")


def size_of(image: ImageLike) -> Size:
    """Return width and height in pixels, from the file's header."""
    if isinstance(image, Image.Image):
        return image.size
    size = jpeg.size_of(image)
    if size is None:
        with _damage_told(), Image.open(io.BytesIO(image)) as opened:
            size = opened.size
    return size


def decode_part(image: ImageLike, box: Bounds, output: Size, interpolation: str = BILINEAR) -> Image.Image:
    """Return the pixels `box` of an image as RGB, scaled to `output` (see `scaling.scaled`).

    Of a restart-coded JPEG only the blocks under the box are decoded where that saves time, at half, a quarter or
    an eighth of the size where the box is shrunk by at least that factor.
    """
    return image_of(region_for(image, box, output, interpolation).scaled(box, output, interpolation)).copy()


def region_for(image: ImageLike, box: Bounds, output: Size, interpolation: str = BILINEAR) -> Region:
    """Decode for `decode_part`; the region's `scaled(box, output, interpolation)` is the rest."""
    return part_for(image, box, output, interpolation).decoded()


def part_for(image: ImageLike, box: Bounds, output: Size, interpolation: str = BILINEAR) -> Part:
    """Cut for `region_for`."""
    scales = (box[2] - box[0]) / output[0], (box[3] - box[1]) / output[1]
    margin = 0 if is_whole(box) else 1 + math.ceil(SUPPORT[interpolation] * max(1.0, *scales))
    return part_of(image, box, shrink_for(image, min(scales)), margin)


class Part(NamedTuple):
    """Part of an image that is yet to be decoded.

    Attributes:
        image: bytes, or an image whose pixels are already there.
        box: the part, pixels of the file.
        shrink: pixels of the file per pixel when it is decoded.
        coded: the bytes are a restart-coded JPEG of that part alone.
    """

    image: ImageLike
    box: Box
    shrink: int
    coded: bool

    def decoded(self) -> Region:
        """Return its pixels; all of an image that is no restart-coded JPEG."""
        if not isinstance(self.image, bytes) or not self.coded:
            whole = decoded(self.image)
            return Region(quads_of(whole), (0, 0, *whole.size), 1)
        left, top, right, bottom = self.box
        return Region(_load(self.image, (right - left, bottom - top), self.shrink), self.box, self.shrink)


class Region(NamedTuple):
    """Part of an image.

    Attributes:
        quads: its pixels, to be read.
        box: the part, pixels of the file.
        shrink: pixels of the file per pixel of `quads`.
    """

    quads: Quads
    box: Box
    shrink: int

    def inside(self, box: Bounds) -> Bounds:
        """Return a box in pixels of `quads` from one in pixels of the file."""
        x, y, shrink = self.box[0], self.box[1], self.shrink
        return (box[0] - x) / shrink, (box[1] - y) / shrink, (box[2] - x) / shrink, (box[3] - y) / shrink

    def scaled(self, box: Bounds, output: Size, interpolation: str = BILINEAR) -> Quads:
        """Return the pixels `box` of the file, scaled to `output`."""
        left, top, right, bottom = self.inside(box)
        # The last pixel of a shrunk image may lie half outside.
        height, width, _ = self.quads.shape
        return scaled(self.quads, (left, top, min(right, width), min(bottom, height)), output, interpolation)


def shrink_for(image: ImageLike, scale: float) -> int:
    """Return by how much an image can be shrunk while decoding if `scale` of its pixels are to become one."""
    if scale < 2 or not isinstance(image, bytes) or jpeg.size_of(image) is None:
        return 1
    return 8 if scale >= 8 else 4 if scale >= 4 else 2


def decode_region(image: ImageLike, box: Bounds, shrink: int, margin: int) -> Region:
    """Decode at least the pixels `box` of an image, and `margin` pixels around; see `part_of`."""
    return part_of(image, box, shrink, margin).decoded()


def part_of(image: ImageLike, box: Bounds, shrink: int, margin: int) -> Part:
    """Cut at least the pixels `box` out of an image, and where there are any, `margin` pixels around.

    Args:
        image: if its pixels are already there, so that nothing is gained by decoding less, it is given back whole.
        box: pixels of the file.
        shrink: what `shrink_for` gave.
        margin: pixels of the file.
    """
    size = jpeg.size_of(image) if isinstance(image, bytes) else None
    if not isinstance(image, bytes) or size is None:
        return Part(image, (0, 0, 0, 0), 1, coded=False)
    # One pixel around, as the outermost pixels of a cut are not exact.
    area = Rectangle.around(_grown(box, size, margin + 1), size)
    part = area.pixels(size)
    if size[0] * size[1] - (part[2] - part[0]) * (part[3] - part[1]) <= _WORTH_A_CUT:
        return Part(image, (0, 0, *size), shrink, coded=True)
    with _damage_told():
        return Part(jpeg.cut(image, area), part, shrink, coded=True)


def _load(data: bytes, size: Size, shrink: int) -> Quads:
    with _damage_told():
        return load(data, size, shrink)


def _load_any(data: bytes) -> Image.Image:
    with _damage_told():
        return Image.open(io.BytesIO(data)).convert("RGB")


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except DECODE_ERRORS as error:
        raise ImageError(explain("an image cannot be decoded", found=error)) from error


def _grown(box: Bounds, size: Size, margin: int) -> tuple[int, int, int, int]:
    return (
        max(0, min(math.floor(box[0]) - margin, size[0] - _NARROWEST)),
        max(0, math.floor(box[1]) - margin),
        min(size[0], math.ceil(box[2]) + margin),
        min(size[1], math.ceil(box[3]) + margin),
    )
