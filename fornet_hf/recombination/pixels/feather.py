"""The soft edge of a pasted object: a Gaussian blur of its mask, of which the inner half is kept.

The blur is Pillow's: three passes of a box of fractional width, the border repeated. Pillow sums pixel by pixel;
sums of whole shifted images, doubled as often as the width allows, take half the time and round once. OpenCV, where
it is installed, takes a fifth; sums in another order make a pixel in ten thousand differ, by 1 level.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from fornet_hf.packages import optional

_PASSES = 3
_WIDE = 20  # pixels; a filter takes the longer the wider it is, sums hardly
Floats = npt.NDArray[np.float32]


def reach(radius: float) -> int:
    """Return how many pixels away a pixel still counts for a feather of that radius."""
    return _PASSES * (int(half_width(radius)) + 1)


def feathered(mask: npt.NDArray[np.uint8], radius: tuple[float, float]) -> Image.Image:
    """Return the mask, blurred, at twice the contrast: what the blur left at one half or below vanishes.

    Without a radius it is the mask itself: contrast alone would take half of each antialiased edge.

    Args:
        mask: 0 to 255, height x width.
        radius: standard deviations of the blur in x and y, pixels, 0 or more.

    Returns: mode L, of the same size.
    """
    if not any(radius):
        return Image.fromarray(mask)
    halves = half_width(radius[0]), half_width(radius[1])
    opencv = optional("cv2") if max(halves) < _WIDE else None
    pixels = _summed(mask, halves) if opencv is None else _filtered(opencv, mask, halves)
    np.maximum(pixels, 0, out=pixels)
    return Image.fromarray(pixels.astype(np.uint8))


def _filtered(opencv: Any, mask: npt.NDArray[np.uint8], halves: tuple[float, float]) -> Floats:
    """Return the blurred mask at twice the contrast, plus a half: turning into bytes rounds down."""
    along, down = (_box(half) for half in halves)
    pixels: Any = mask
    for contrast, offset in ((1, 0), (1, 0), (2, -254.5)):
        border = opencv.BORDER_REPLICATE
        pixels = opencv.sepFilter2D(pixels, opencv.CV_32F, along, contrast * down, delta=offset, borderType=border)
    floats: Floats = pixels
    return floats


def _box(half: float) -> Floats:
    """Return the weights of one pass."""
    weights = np.full(2 * int(half) + 3, 1 / (2 * half + 1), np.float32)
    weights[[0, -1]] *= half - int(half)
    return weights


def _summed(mask: npt.NDArray[np.uint8], halves: tuple[float, float]) -> Floats:
    """Return the same as `_filtered`."""
    contrast = 2 / ((2 * halves[0] + 1) * (2 * halves[1] + 1)) ** _PASSES  # and means instead of sums
    pixels = _summed_down(_summed_along(mask, halves[0], contrast), halves[1])
    pixels -= 254.5
    return pixels


def _summed_along(pixels: npt.NDArray[np.uint8], half: float, factor: float) -> Floats:
    """Sum `pixels * factor` along the rows, which are laid end to end: so shifting them is one operation."""
    margin, (height, width) = int(half) + 1, pixels.shape
    rows, sums = (np.zeros((height, width + 2 * margin), np.float32) for _ in range(2))
    inside = slice(margin, margin + width)
    np.multiply(pixels, np.float32(factor), out=rows[:, inside])
    for _ in range(_PASSES):
        rows[:, :margin] = rows[:, margin, None]
        rows[:, margin + width :] = rows[:, margin + width - 1, None]
        _box_sums(rows.reshape(-1), half, out=sums.reshape(-1)[margin:-margin])  # over two rows: nobody wants those
        rows, sums = sums, rows
    return rows[:, inside]


def _summed_down(pixels: Floats, half: float) -> Floats:
    """Sum across the rows."""
    margin, (height, width) = int(half) + 1, pixels.shape
    rows, sums = (np.empty((height + 2 * margin, width), np.float32) for _ in range(2))
    inside = slice(margin, margin + height)
    rows[inside] = pixels
    for _ in range(_PASSES):
        rows[:margin] = rows[margin]
        rows[margin + height :] = rows[margin + height - 1]
        _box_sums(rows, half, out=sums[inside])
        rows, sums = sums, rows
    return rows[inside]


def _box_sums(rows: Floats, half: float, out: Floats) -> None:
    """Sum over 2 * `half` + 1 neighbours along the first axis, the outermost two counted in part."""
    whole = int(half)
    np.add(rows[: -2 * whole - 2], rows[2 * whole + 2 :], out=out)
    out *= half - whole
    out += _window_sums(rows[1:-1], 2 * whole + 1)


def half_width(sigma: float) -> float:
    """Return the half width of the box whose passes together have that standard deviation, its two ends in part."""
    variance = sigma * sigma / _PASSES
    whole = int((math.sqrt(12 * variance + 1) - 1) / 2)
    part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance) / (6 * (variance - (whole + 1) ** 2))
    return whole + part


def _window_sums(rows: Floats, count: int) -> Floats:
    """Sum over `count` (odd) neighbouring rows, from sums over 1, 2, 4, ... rows."""
    length = len(rows) - count + 1
    total, start, doubled, span = rows[:length], 1, rows, 1
    while start < count:
        doubled = doubled[:-span] + doubled[span:]
        span *= 2
        if count & span:
            total = total + doubled[start : start + length]
            start += span
    return total
