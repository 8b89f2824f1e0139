"""The soft edge of a pasted object: a Gaussian blur of its mask, of which the inner half is kept.

The blur is Pillow's: three passes of a box of fractional width, the border repeated. Pillow sums pixel by pixel;
sums of whole shifted pictures, doubled as often as the width allows, take half the time and round once.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PIL import Image

_PASSES = 3
Floats = npt.NDArray[np.float32]


def reach(radius: float) -> int:
    """How many pixels away a pixel still counts for a feather of that radius."""
    return _PASSES * (int(_half_width(radius)) + 1)


def feathered(mask: npt.NDArray[np.uint8], radius: tuple[float, float]) -> Image.Image:
    """The mask, blurred, at twice the contrast: what the blur left at one half or below vanishes.

    Args:
        mask: 0 to 255, height x width.
        radius: standard deviations of the blur in x and y, pixels, 0 or more.

    Returns: mode L, of the same size.
    """
    pixels = _blurred_down(_blurred_along(mask, radius[0]), radius[1])
    pixels *= 2
    pixels -= 254.5  # half a level more, as turning into bytes rounds down
    np.maximum(pixels, 0, out=pixels)
    return Image.fromarray(pixels.astype(np.uint8))


def _blurred_along(pixels: npt.NDArray[np.generic], sigma: float) -> Floats:
    """Blurred along the rows, which are laid end to end, so that shifting them is one operation."""
    half = _half_width(sigma)
    margin = int(half) + 1
    height, width = pixels.shape
    stride = width + 2 * margin
    for _ in range(_PASSES):
        rows = np.empty((height + 1, stride), np.float32)
        rows[:height, margin:-margin] = pixels
        rows[:height, :margin] = pixels[:, :1]
        rows[:height, -margin:] = pixels[:, -1:]
        rows[height] = 0  # windows over two rows yield sums that nobody wants, the last ones end here
        pixels = _box_means(rows.ravel(), half)[: height * stride].reshape(height, stride)[:, :width]
    return pixels  # type: ignore[return-value]  # not the given ones


def _blurred_down(pixels: Floats, sigma: float) -> Floats:
    """Blurred across the rows."""
    half = _half_width(sigma)
    margin = int(half) + 1
    for _ in range(_PASSES):
        rows = np.empty((len(pixels) + 2 * margin, pixels.shape[1]), np.float32)
        rows[margin:-margin] = pixels
        rows[:margin] = pixels[0]
        rows[-margin:] = pixels[-1]
        pixels = _box_means(rows, half)
    return pixels


def _box_means(rows: Floats, half: float) -> Floats:
    """Means over 2 * `half` + 1 neighbours along the first axis, the outermost two counted in part."""
    whole = int(half)
    means = rows[: -2 * whole - 2] + rows[2 * whole + 2 :]
    means *= half - whole
    means += _window_sums(rows[1:-1], 2 * whole + 1)
    means *= 1 / (2 * half + 1)
    return means


def _half_width(sigma: float) -> float:
    """Of the box whose passes together have that standard deviation, its outermost two values counted in part."""
    variance = sigma * sigma / _PASSES
    whole = int((math.sqrt(12 * variance + 1) - 1) / 2)
    part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance) / (6 * (variance - (whole + 1) ** 2))
    return whole + part


def _window_sums(rows: Floats, count: int) -> Floats:
    """Sums over `count` (odd) neighbouring rows, from sums over 1, 2, 4, ... rows."""
    length = len(rows) - count + 1
    total, start, doubled, span = rows[:length], 1, rows, 1
    while start < count:
        doubled = doubled[:-span] + doubled[span:]
        span *= 2
        if count & span:
            total = total + doubled[start : start + length]
            start += span
    return total
