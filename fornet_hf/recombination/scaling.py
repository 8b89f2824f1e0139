"""Scale a part of a picture: bilinear, antialiased, as torchvision does by default.

Pillow does the work. Where torch is loaded (as in every process that trains), its vectorised kernel scales from whole
pixels on three times faster, and an object's mask along with its colours at no cost, to the same values but for
rounding: at most one level of 255 apart.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from PIL import Image

from fornet_hf.recombination.composition import Size
from fornet_hf.recombination.span import Span

Bounds = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels

ONE_BLOCK = 2**21  # pixels; Pillow splits the memory of pictures of 16 MiB and more


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
    torch = _torch_for(picture)
    if torch is None or picture.mode != "RGB" or (right - left, bottom - top) == output:
        part = picture.crop((left, top, right, bottom))
        return part if part.size == output else part.resize(output, Image.Resampling.BILINEAR)
    pixels = shared_pixels(torch, picture)[:, top:bottom, left:right].permute(0, 3, 1, 2)
    result = torch.nn.functional.interpolate(pixels, output[::-1], mode="bilinear", antialias=True)
    return Image.frombytes("RGB", output, result.permute(0, 2, 3, 1).numpy(), "raw", "RGBX")


def scaled_with_mask(
    colours: Image.Image, mask: Image.Image, spans: tuple[Span, Span]
) -> tuple[Image.Image, npt.NDArray[np.uint8]]:
    """Colours (RGB) and mask (L) of an object, scaled alike.

    Args:
        colours: it takes up the mask, so it must not be used any more.
        mask: of the same size.
        spans: in x and y, pixels of `colours`.

    Returns: RGB; and the mask as uint8, height x width.
    """
    x, y = spans
    torch = _torch_for(colours)
    if torch is None or x.surplus is None or y.surplus is None:
        return _resized(colours, x, y), scaled_mask(mask, spans)
    colours.putalpha(mask)  # into the fourth byte that every pixel has in Pillow: nothing moves
    seen_pixels = shared_pixels(torch, colours)[:, y.first : y.last, x.first : x.last].permute(0, 3, 1, 2)
    result = torch.nn.functional.interpolate(
        seen_pixels,
        # A little more, so that no pixel is lost to rounding down the number of pixels.
        scale_factor=((1 + 1e-9) / y.step, (1 + 1e-9) / x.step),
        mode="bilinear",
        antialias=True,
        recompute_scale_factor=False,
    )
    result = result[0, :, y.surplus : y.surplus + y.output, x.surplus : x.surplus + x.output]
    pixels = result.permute(1, 2, 0).contiguous().numpy()
    return Image.frombytes("RGB", (x.output, y.output), pixels, "raw", "RGBX"), pixels[..., 3]


def scaled_mask(mask: Image.Image, spans: tuple[Span, Span]) -> npt.NDArray[np.uint8]:
    """The mask alone, as `scaled_with_mask` scales it."""
    return np.asarray(_resized(mask, *spans))


def _resized(picture: Image.Image, x: Span, y: Span) -> Image.Image:
    part = picture.crop((x.first, y.first, x.last, y.last))
    left, top = x.surplus or 0, y.surplus or 0
    size = left + x.output, top + y.output
    box = (x.start - left * x.step, y.start - top * y.step, x.start + x.output * x.step, y.start + y.output * y.step)
    inside = max(0.0, box[0]), max(0.0, box[1]), min(box[2], part.width), min(box[3], part.height)
    return part.resize(size, Image.Resampling.BILINEAR, box=inside).crop((left, top, *size))


def _torch_for(picture: Image.Image) -> Any:
    """Torch, if it is loaded and can see the picture's pixels in place; else None."""
    torch = sys.modules.get("torch")
    fits = hasattr(torch, "nn") and picture.width * picture.height <= ONE_BLOCK
    return torch if fits else None


def shared_pixels(torch: Any, picture: Image.Image) -> Any:
    """A tensor of 1 x height x width x 4 over the picture's own memory: an RGB or RGBA pixel takes 4 bytes."""
    return torch.from_dlpack(pa.array(picture).values).view(1, picture.height, picture.width, 4)
