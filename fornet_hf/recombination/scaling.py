"""Scale a part of a picture: bilinear or bicubic, antialiased, as torchvision does with a PIL picture.

Pillow does the work. Where torch is loaded (as in every process that trains), its vectorised kernel scales from whole
pixels on three times faster, and an object's mask along with its colours at no cost. Both compute the same weights,
torch with 15 bits instead of 22, and both round to bytes after the rows and again after the columns: so a value can
differ by a level after either, by 2 levels of 255 at most. One in a hundred differs at all.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from PIL import Image

from fornet_hf.recombination.composition import Bounds, Size
from fornet_hf.recombination.config import BICUBIC, BILINEAR
from fornet_hf.recombination.span import Span

SUPPORT = {BILINEAR: 1, BICUBIC: 2}
"""How far a filter sees, in pixels of whichever grid is coarser."""

_FILTERS = {BILINEAR: Image.Resampling.BILINEAR, BICUBIC: Image.Resampling.BICUBIC}
ONE_BLOCK = 2**21  # pixels; Pillow splits the memory of pictures of 16 MiB and more


def is_whole(box: Bounds) -> bool:
    """Whether all edges of a box lie between pixels."""
    return all(float(edge).is_integer() for edge in box)


def scaled(picture: Image.Image, box: Bounds, output: Size, interpolation: str = BILINEAR) -> Image.Image:
    """The part `box` of a picture (mode RGB or L), scaled to `output`.

    Nothing beyond a box of whole pixels shows; the filter for another box does see the pixels around it.
    """
    if not is_whole(box):
        return resampled(picture, box, output, interpolation)
    left, top, right, bottom = (int(edge) for edge in box)
    torch = _torch_for(picture)
    if torch is None or picture.mode != "RGB" or (right - left, bottom - top) == output:
        part = picture.crop((left, top, right, bottom))
        return part if part.size == output else _in_passes(part, (0, 0, *part.size), output, interpolation)
    pixels = shared_pixels(torch, picture)[:, top:bottom, left:right].permute(0, 3, 1, 2)
    result = torch.nn.functional.interpolate(pixels, output[::-1], mode=interpolation, antialias=True)
    return Image.frombytes("RGB", output, result.permute(0, 2, 3, 1).numpy(), "raw", "RGBX")


def resampled(picture: Image.Image, box: Bounds, output: Size, interpolation: str = BILINEAR) -> Image.Image:
    """The part `box` of the picture scaled as a whole: the filter sees what lies around the box."""
    return picture.resize(output, _FILTERS[interpolation], box=box)


def scaled_with_mask(
    colours: Image.Image, mask: Image.Image, spans: tuple[Span, Span], interpolation: str = BILINEAR
) -> tuple[Image.Image, npt.NDArray[np.uint8]]:
    """Colours (RGB) and mask (L) of an object, scaled alike.

    Args:
        colours: it takes up the mask, so it must not be used any more.
        mask: of the same size.
        spans: in x and y, pixels of `colours`; made for the support of that interpolation.

    Returns: RGB; and the mask as uint8, height x width.
    """
    x, y = spans
    torch = _torch_for(colours)
    if torch is None or x.surplus is None or y.surplus is None or _is_left_alone(x) or _is_left_alone(y):
        return _resized(colours, x, y, interpolation), scaled_mask(mask, spans, interpolation)
    colours.putalpha(mask)  # into the fourth byte that every pixel has in Pillow: nothing moves
    seen_pixels = shared_pixels(torch, colours)[:, y.first : y.last, x.first : x.last].permute(0, 3, 1, 2)
    result = torch.nn.functional.interpolate(
        seen_pixels,
        scale_factor=(_factor(y), _factor(x)),
        mode=interpolation,
        antialias=True,
        recompute_scale_factor=False,
    )
    result = result[0, :, y.surplus : y.surplus + y.output, x.surplus : x.surplus + x.output]
    pixels = result.permute(1, 2, 0).contiguous().numpy()
    return Image.frombytes("RGB", (x.output, y.output), pixels, "raw", "RGBX"), pixels[..., 3]


def _factor(span: Span) -> float:
    """Pixels of torch's output per pixel of the source."""
    return (1 + 1e-9) / span.step  # a little more: torch rounds the number of pixels down, and may not lose one


def _is_left_alone(span: Span) -> bool:
    """Whether torch's kernel would not scale it: it has as many pixels afterwards, so the factor does not count."""
    seen = span.last - span.first
    return span.step != 1 and int(seen * _factor(span)) == seen


def scaled_mask(mask: Image.Image, spans: tuple[Span, Span], interpolation: str = BILINEAR) -> npt.NDArray[np.uint8]:
    """The mask alone, as `scaled_with_mask` scales it."""
    return np.asarray(_resized(mask, *spans, interpolation))


def _resized(picture: Image.Image, x: Span, y: Span, interpolation: str) -> Image.Image:
    part = picture.crop((x.first, y.first, x.last, y.last))
    left, top = x.surplus or 0, y.surplus or 0
    size = left + x.output, top + y.output
    box = (x.start - left * x.step, y.start - top * y.step, x.start + x.output * x.step, y.start + y.output * y.step)
    inside = max(0.0, box[0]), max(0.0, box[1]), min(box[2], part.width), min(box[3], part.height)
    return _in_passes(part, inside, size, interpolation).crop((left, top, *size))


def _in_passes(picture: Image.Image, box: Bounds, output: Size, interpolation: str) -> Image.Image:
    """`resampled`, rows before columns as torch does it.

    Pillow before 13 does so too; from then on it begins with what is cheaper, and as overshoot of bicubic is cut off
    after either, the order shows at edges.
    """
    rows = resampled(picture, (box[0], 0, box[2], picture.height), (output[0], picture.height), interpolation)
    return resampled(rows, (0, box[1], output[0], box[3]), output, interpolation)


def _torch_for(picture: Image.Image) -> Any:
    """Torch, if it is loaded and can see the picture's pixels in place; else None."""
    torch = sys.modules.get("torch")
    fits = hasattr(torch, "nn") and picture.width * picture.height <= ONE_BLOCK
    return torch if fits else None


def shared_pixels(torch: Any, picture: Image.Image) -> Any:
    """A tensor of 1 x height x width x 4 over the picture's own memory: an RGB or RGBA pixel takes 4 bytes."""
    return torch.from_dlpack(pa.array(picture).values).view(1, picture.height, picture.width, 4)
