"""Scale a part of an image: bilinear or bicubic, antialiased, as torchvision does with a PIL image.

Pillow does the work. Where torch is loaded (as in every process that trains), its vectorised kernel scales from whole
pixels on three times faster, and an object's mask along with its colours at no cost. Both compute the same weights,
torch with 15 bits instead of 22, and both round to bytes after the rows and again after the columns: so a value can
differ by a level after either, by 2 levels of 255 at most. One in a hundred differs at all.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from fornet_hf.recombination.draw.composition import Bounds, Size
from fornet_hf.recombination.draw.configuration import BICUBIC, BILINEAR
from fornet_hf.recombination.pixels.quads import ONE_BLOCK, Quads, image_of, quads_of
from fornet_hf.recombination.pixels.span import Span

SUPPORT = {BILINEAR: 1, BICUBIC: 2}
"""How far a filter sees, in pixels of whichever grid is coarser."""

_FILTERS = {BILINEAR: Image.Resampling.BILINEAR, BICUBIC: Image.Resampling.BICUBIC}


def is_whole(box: Bounds) -> bool:
    """Return whether all edges of a box lie between pixels."""
    return all(float(edge).is_integer() for edge in box)


def scaled(quads: Quads, box: Bounds, output: Size, interpolation: str = BILINEAR) -> Quads:
    """Return the part `box` of an image, scaled to `output`; where that changes nothing, a view of it.

    Nothing beyond a box of whole pixels shows; the filter for another box does see the pixels around it.
    """
    if not is_whole(box):
        scale = _in_passes if interpolation == BICUBIC else resampled
        return quads_of(scale(image_of(quads), box, output, interpolation))
    left, top, right, bottom = (int(edge) for edge in box)
    part = quads[top:bottom, left:right]
    if (right - left, bottom - top) == output:
        return part
    torch = _torch_for(quads)
    if torch is None:
        return quads_of(_in_passes(image_of(part), (0, 0, right - left, bottom - top), output, interpolation))
    return _interpolated(torch, part, interpolation, size=output[::-1])


def resampled(image: Image.Image, box: Bounds, output: Size, interpolation: str = BILINEAR) -> Image.Image:
    """Return the part `box` of the image scaled as a whole: the filter sees the pixels around the box."""
    return image.resize(output, _FILTERS[interpolation], box=box)


def scaled_along(quads: Quads, spans: tuple[Span, Span], interpolation: str = BILINEAR) -> Quads:
    """Scale colours and mask of an object alike.

    Args:
        quads: the mask is the fourth byte.
        spans: in x and y, pixels of `quads`; made for the support of that interpolation.
    """
    x, y = spans
    torch = _torch_for(quads)
    if torch is None or x.surplus is None or y.surplus is None or _is_left_alone(x) or _is_left_alone(y):
        return quads_of(_resized(image_of(quads, "RGBX"), x, y, interpolation))
    seen, factors = quads[y.first : y.last, x.first : x.last], (_factor(y), _factor(x))
    result = _interpolated(torch, seen, interpolation, scale_factor=factors, recompute_scale_factor=False)
    return result[y.surplus : y.surplus + y.output, x.surplus : x.surplus + x.output]


def _interpolated(torch: Any, quads: Quads, interpolation: str, **to: Any) -> Quads:
    """Call torch's kernel. It takes no part of an image, so it gets a copy, made here in half of torch's time."""
    pixels = torch.from_numpy(quads[None].copy()).permute(0, 3, 1, 2)
    result = torch.nn.functional.interpolate(pixels, mode=interpolation, antialias=True, **to)
    return np.ascontiguousarray(result.permute(0, 2, 3, 1).numpy()[0])


def _factor(span: Span) -> float:
    """Return the pixels of torch's output per pixel of the source."""
    return (1 + 1e-9) / span.step  # a little more: torch rounds the number of pixels down, and may not lose one


def _is_left_alone(span: Span) -> bool:
    """Return whether torch's kernel would not scale it: with as many pixels afterwards it ignores the factor."""
    seen = span.last - span.first
    return span.step != 1 and int(seen * _factor(span)) == seen


def scaled_mask(mask: Image.Image, spans: tuple[Span, Span], interpolation: str = BILINEAR) -> npt.NDArray[np.uint8]:
    """Scale the mask (mode L) alone."""
    return np.asarray(_resized(mask, *spans, interpolation))


def _resized(image: Image.Image, x: Span, y: Span, interpolation: str) -> Image.Image:
    part = image.crop((x.first, y.first, x.last, y.last))
    left, top = x.surplus or 0, y.surplus or 0
    size = left + x.output, top + y.output
    box = (x.start - left * x.step, y.start - top * y.step, x.start + x.output * x.step, y.start + y.output * y.step)
    inside = max(0.0, box[0]), max(0.0, box[1]), min(box[2], part.width), min(box[3], part.height)
    return _in_passes(part, inside, size, interpolation).crop((left, top, *size))


def _in_passes(image: Image.Image, box: Bounds, output: Size, interpolation: str) -> Image.Image:
    """Resample rows before columns, as torch does.

    Pillow before 13 does so too; from then on it begins with what is cheaper, and as overshoot of bicubic is cut off
    after either, the order shows at edges.
    """
    reach = math.ceil(SUPPORT[interpolation] * max(1.0, (box[3] - box[1]) / output[1])) + 1
    top, bottom = max(0, math.floor(box[1]) - reach), min(image.height, math.ceil(box[3]) + reach)
    rows = resampled(image, (box[0], top, box[2], bottom), (output[0], bottom - top), interpolation)
    return resampled(rows, (0, box[1] - top, output[0], box[3] - top), output, interpolation)


def _torch_for(quads: Quads) -> Any:
    """Return torch, if it is loaded and the image not huge; else None."""
    torch = sys.modules.get("torch")
    fits = hasattr(torch, "nn") and quads.shape[0] * quads.shape[1] <= ONE_BLOCK
    return torch if fits else None
