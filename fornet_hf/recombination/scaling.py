"""Scale a part of a picture: bilinear, antialiased, as torchvision does by default.

Pillow does the work. Where torch is loaded (as in every process that trains), its vectorised kernel scales boxes of
whole pixels three times faster, to the same values but for rounding: at most one level of 255 apart.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from PIL import Image

from fornet_hf.recombination.composition import Size

Bounds = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels


def is_whole(box: Bounds) -> bool:
    """Whether all edges of a box lie between pixels."""
    return all(float(edge).is_integer() for edge in box)


def scaled(picture: Image.Image, box: Bounds, output: Size) -> Image.Image:
    """The part `box` of a picture (mode RGB or L), scaled to `output`.

    A box of whole pixels is cut out first, so nothing beyond it shows; the filter for another box does see the
    pixels around it.
    """
    if not is_whole(box):
        return picture.resize(output, Image.Resampling.BILINEAR, box=box)
    part = picture.crop((int(box[0]), int(box[1]), int(box[2]), int(box[3])))
    if part.size == output:
        return part
    torch = sys.modules.get("torch")
    if torch is not None and part.mode == "RGB" and hasattr(torch, "nn"):
        return _scaled_by_torch(torch, part, output)
    return part.resize(output, Image.Resampling.BILINEAR)


def _scaled_by_torch(torch: Any, picture: Image.Image, output: Size) -> Image.Image:
    pixels = torch.from_numpy(np.array(picture)).unsqueeze(0).permute(0, 3, 1, 2)
    interpolate = torch.nn.functional.interpolate
    result = interpolate(pixels, output[::-1], mode="bilinear", antialias=True)
    return Image.fromarray(result[0].permute(1, 2, 0).numpy())
