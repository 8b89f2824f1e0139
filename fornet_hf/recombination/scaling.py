"""Scale a part of a picture: bilinear, antialiased, as torchvision does by default.

Pillow does the work. Where torch is loaded (as in every process that trains), its vectorised kernel scales boxes of
whole pixels three times faster, to the same values but for rounding: at most one level of 255 apart.
"""

from __future__ import annotations

import sys
from typing import Any

import pyarrow as pa
from PIL import Image

from fornet_hf.recombination.composition import Size

Bounds = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels


_ONE_BLOCK = 2**21  # pixels; Pillow splits the memory of pictures of 16 MiB and more


def is_whole(box: Bounds) -> bool:
    """Whether all edges of a box lie between pixels."""
    return all(float(edge).is_integer() for edge in box)


def scaled(picture: Image.Image, box: Bounds, output: Size) -> Image.Image:
    """The part `box` of a picture (mode RGB or L), scaled to `output`.

    Nothing beyond a box of whole pixels shows; the filter for another box does see the pixels around it.
    """
    if not is_whole(box):
        return picture.resize(output, Image.Resampling.BILINEAR, box=box)
    left, top, right, bottom = (int(edge) for edge in box)
    torch = sys.modules.get("torch")
    fits = picture.mode == "RGB" and picture.width * picture.height <= _ONE_BLOCK
    if torch is None or not hasattr(torch, "nn") or not fits or (right - left, bottom - top) == output:
        part = picture.crop((left, top, right, bottom))
        return part if part.size == output else part.resize(output, Image.Resampling.BILINEAR)
    pixels = _shared_pixels(torch, picture)[:, top:bottom, left:right].permute(0, 3, 1, 2)
    result = torch.nn.functional.interpolate(pixels, output[::-1], mode="bilinear", antialias=True)
    return Image.frombytes("RGB", output, result.permute(0, 2, 3, 1).numpy(), "raw", "RGBX")


def _shared_pixels(torch: Any, picture: Image.Image) -> Any:
    """A tensor of 1 x height x width x 4 over the picture's own memory: an RGB pixel takes 4 bytes in Pillow."""
    return torch.from_dlpack(pa.array(picture).flatten()).view(1, picture.height, picture.width, 4)
