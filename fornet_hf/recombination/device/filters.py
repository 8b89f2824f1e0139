"""Pillow's antialiasing filters and its box blur, as matrices: a row for each pixel of the output.

All are made for a whole batch at once, of numbers on the device; how many columns they have is known beforehand.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from fornet_hf.recombination.draw.configuration import BILINEAR
from fornet_hf.recombination.pixels.scaling import SUPPORT


class Taps(NamedTuple):
    """The pixels that each pixel of the output sees along one axis.

    Attributes:
        first: int64, images x output: the first of them; it may lie outside of the source.
        weights: float32, images x output x taps; they sum to 1, and are 0 outside of the source; all 0 where the
            output shows nothing of it.
    """

    first: Tensor
    weights: Tensor


def taps(
    start: Tensor, step: Tensor, length: Tensor, at: Tensor, shown: Tensor, count: int, interpolation: str
) -> Taps:
    """Return the taps of an antialiased filter.

    Args:
        start: images: see `layers.Axis`.
        step: images.
        length: images.
        at: images x output: numbers of pixels on the scaled layer, from 0.
        shown: bool, images x output: whether the layer has that pixel.
        count: taps, as many as the greatest step needs.
        interpolation: "bilinear" or "bicubic".
    """
    coarse = step.clamp(min=1.0)[:, None]
    centre = start[:, None] + (at + 0.5) * step[:, None]
    first = torch.floor(centre - SUPPORT[interpolation] * coarse + 0.5)
    pixels = first[..., None] + torch.arange(count, device=at.device, dtype=centre.dtype)
    away = (pixels + 0.5 - centre[..., None]).abs_() / coarse[..., None]
    weights = (1 - away).clamp_(min=0) if interpolation == BILINEAR else _bicubic(away)
    inside = (pixels >= 0) & (pixels < length[:, None, None]) & shown[..., None]
    weights = weights * inside
    total = weights.sum(-1, keepdim=True)
    return Taps(first.long(), weights / total.masked_fill_(total <= 0, 1.0))


def _bicubic(away: Tensor) -> Tensor:
    """Return Keys' kernel with a = -0.5, as Pillow and torch antialias with."""
    near = (1.5 * away - 2.5) * away * away + 1
    far = ((-0.5 * away + 2.5) * away - 4) * away + 2
    return torch.where(away < 1, near, torch.where(away < 2, far, 0.0))


def dense(taps: Taps, columns: int, dtype: torch.dtype) -> Tensor:
    """Return them as matrices, images x output x columns, of which each row has its taps at their places."""
    images, output, count = taps.weights.shape
    margin = -(-count // 8) * 8  # for what lies outside of the source: so no two taps have one place
    first = taps.first.clamp(-margin, columns) + margin
    places = first[..., None] + torch.arange(count, device=first.device)
    matrix = torch.zeros((images, output, columns + 2 * margin), dtype=dtype, device=first.device)
    return matrix.scatter_(2, places, taps.weights.to(dtype))[..., margin : margin + columns]


_STEPS = 2048


def boxes(at: Tensor, half: Tensor, length: Tensor, columns: int, dtype: torch.dtype) -> Tensor:
    """Return one pass of a box blur, images x rows x columns; the source's border is repeated.

    Args:
        at: images x rows: the pixels in whose middle the boxes are.
        half: images: the boxes are 2 * half + 1 pixels wide.
        length: images: pixels of the source.
        columns: of the matrix.
        dtype: of the matrix.
    """
    edges = torch.arange(columns + 1, device=at.device, dtype=torch.float32)
    width = 2 * half + 1
    before = (edges - (at - half[:, None])[..., None]) / width[:, None, None]
    before = before.clamp_(0, 1).masked_fill_((edges >= length[:, None])[:, None], 1.0)
    before[..., 0] = 0
    if dtype == torch.float16:  # in steps that it has up to 1, so that each row sums to 1 as exactly as before
        before = before.mul_(_STEPS).round_().div_(_STEPS)
    return torch.diff(before, dim=-1).to(dtype)


def feathers(at: Tensor, shown: Tensor, half: Tensor, length: Tensor, columns: int, dtype: torch.dtype) -> Tensor:
    """Return three passes of a box blur, images x output x columns, for those pixels of the place that are shown."""
    place = torch.arange(columns, device=at.device, dtype=torch.float32).expand(len(half), -1)
    one = boxes(place, half, length, columns, dtype)
    last = boxes(at, half, length, columns, dtype) * shown[..., None]
    return last @ one @ one
