"""Decode the part of a picture that is shown, at the size at which it is shown.

Pictures of ForNet are restart-coded (`fornet_hf.jpeg`): the blocks under a box are cut out of the file's bytes
and decoded alone, exactly. Any other picture is decoded whole.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping

from PIL import Image

from fornet_hf import jpeg, rows
from fornet_hf.jpeg import Rectangle
from fornet_hf.lazy import unread_bytes
from fornet_hf.recombination.composition import Size
from fornet_hf.recombination.scaling import Bounds, is_whole, scaled

Picture = bytes | Image.Image

_WORTH_A_CUT = 32_000  # pixels; cutting takes as long as decoding them


def encoded(value: object) -> Picture | None:
    """A picture column's value as bytes where it still has them, else decoded; None for None.

    Takes all forms in which `datasets` hands out an Image column: a picture (opened or loaded), a dict, bytes.

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
    return rows.picture(value)


def decoded(picture: Picture) -> Image.Image:
    """All pixels, RGB."""
    if isinstance(picture, bytes):
        size = jpeg.size_of(picture)
        return _load(picture, size, 1) if size is not None else Image.open(io.BytesIO(picture)).convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")


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
    """The pixels `box` of a picture as RGB, scaled to `output` (see `scaling.scaled`).

    Of a restart-coded JPEG only the blocks under the box are decoded where that saves time, at half, a quarter or
    an eighth of the size where the box is shrunk by at least that factor.
    """
    size = jpeg.size_of(picture) if isinstance(picture, bytes) else None
    if not isinstance(picture, bytes) or size is None:
        return scaled(decoded(picture), box, output)
    scale = min((box[2] - box[0]) / output[0], (box[3] - box[1]) / output[1])
    # One pixel around, as the outermost pixels of a cut are not exact; more where the filter reaches beyond the box.
    area = Rectangle.around(_grown(box, size, 1 if is_whole(box) else 2 + math.ceil(scale)), size)
    x0, y0, x1, y1 = area.pixels(size)
    if size[0] * size[1] - (x1 - x0) * (y1 - y0) > _WORTH_A_CUT:
        picture, size = jpeg.cut(picture, area), (x1 - x0, y1 - y0)
        box = (box[0] - x0, box[1] - y0, box[2] - x0, box[3] - y0)
    shrink = next(factor for factor in (8, 4, 2, 1) if scale >= factor or factor == 1)
    part = _load(picture, size, shrink)
    # The last pixel of a shrunk picture may lie half outside.
    left, top, right, bottom = (edge / shrink for edge in box)
    return scaled(part, (left, top, min(right, part.size[0]), min(bottom, part.size[1])), output)


def _load(data: bytes, size: Size, shrink: int) -> Image.Image:
    """Decode a restart-coded JPEG; Pillow's own reading of the header, which is known here, would take a while."""
    shrunk = -(-size[0] // shrink), -(-size[1] // shrink)
    return Image.frombytes("RGB", shrunk, data, "jpeg", ("RGB", "", shrink, 0))


def _grown(box: Bounds, size: Size, margin: int) -> tuple[int, int, int, int]:
    return (
        max(0, math.floor(box[0]) - margin),
        max(0, math.floor(box[1]) - margin),
        min(size[0], math.ceil(box[2]) + margin),
        min(size[1], math.ceil(box[3]) + margin),
    )
