"""Decode the part of a picture that is shown, at the size at which it is shown.

Pictures of ForNet are restart-coded (`fornet_hf.jpeg`): the blocks under a box are cut out of the file's bytes
and decoded alone. Any other picture is decoded whole.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping

from PIL import Image, ImageFile

from fornet_hf import jpeg, rows
from fornet_hf.jpeg import Rectangle
from fornet_hf.recombination.composition import Size

Bounds = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels
Picture = bytes | Image.Image

_PAYS_BELOW = 0.9  # share of the blocks; cutting takes 0.03 ms, decoding all blocks of a picture 0.7 ms


def encoded(value: object) -> Picture | None:
    """A picture column's value as bytes where it still has them, else decoded; None for None.

    Takes all forms in which `datasets` hands out an Image column: a picture (opened or loaded), a dict, bytes.

    Raises:
        ConfigurationError: none of these.
    """
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, ImageFile.ImageFile) and isinstance(value.fp, io.BytesIO):
        return value.fp.getvalue()
    if isinstance(value, Mapping) and isinstance(value.get("bytes"), bytes):
        return value["bytes"]
    return rows.picture(value)


def decoded(picture: Picture) -> Image.Image:
    """All pixels, RGB."""
    opened = picture if isinstance(picture, Image.Image) else Image.open(io.BytesIO(picture))
    return opened.convert("RGB")


def size_of(picture: Picture) -> Size:
    """Width and height in pixels, from the file's header."""
    if isinstance(picture, Image.Image):
        return picture.size
    size = jpeg.size_of(picture)
    if size is None:
        with Image.open(io.BytesIO(picture)) as opened:
            size = opened.size
    return size


def decode_part(picture: Picture, box: Bounds, output: Size) -> Image.Image:
    """The pixels `box` of an RGB picture, scaled to `output` with an antialiased bilinear filter.

    Only blocks under the box are decoded, at half, a quarter or an eighth of the size where the box is shrunk by
    at least that factor.
    """
    size = size_of(picture)
    scale = min((box[2] - box[0]) / output[0], (box[3] - box[1]) / output[1])
    left, top = 0, 0
    if isinstance(picture, bytes):
        # Filter taps reach `scale` pixels beyond the box; one more, as the cut's outermost pixels are not exact.
        area = Rectangle.around(_grown(box, size, 1 + math.ceil(scale)), size)
        x0, y0, x1, y1 = area.pixels(size)
        if jpeg.size_of(picture) is not None and (x1 - x0) * (y1 - y0) < _PAYS_BELOW * size[0] * size[1]:
            picture, left, top, size = jpeg.cut(picture, area), x0, y0, (x1 - x0, y1 - y0)
        picture = Image.open(io.BytesIO(picture))
        if scale >= 2:
            picture.draft(None, (int(size[0] / scale), int(size[1] / scale)))
    if picture.mode != "RGB":
        picture = picture.convert("RGB")
    # A picture decoded at half the size holds half of an odd pixel more at its end, hence powers of two.
    half = 2.0 ** -round(math.log2(size[0] / picture.size[0]))
    x0, y0, x1, y1 = ((box[0] - left) * half, (box[1] - top) * half, (box[2] - left) * half, (box[3] - top) * half)
    return scaled(picture, (x0, y0, min(x1, picture.size[0]), min(y1, picture.size[1])), output)


def scaled(picture: Image.Image, box: Bounds, output: Size) -> Image.Image:
    """The part `box` of a picture, scaled to `output`; a plain copy where the sizes agree."""
    if all(edge == int(edge) for edge in box) and (box[2] - box[0], box[3] - box[1]) == output:
        return picture.crop((int(box[0]), int(box[1]), int(box[2]), int(box[3])))
    return picture.resize(output, Image.Resampling.BILINEAR, box=box)


def _grown(box: Bounds, size: Size, margin: int) -> tuple[int, int, int, int]:
    return (
        max(0, math.floor(box[0]) - margin),
        max(0, math.floor(box[1]) - margin),
        min(size[0], math.ceil(box[2]) + margin),
        min(size[1], math.ceil(box[3]) + margin),
    )
