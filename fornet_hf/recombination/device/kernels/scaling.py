"""Levels of a layer at pixels of the output: antialiased filters as Pillow's, along the rows, then along the columns.

Like Pillow, these round to whole levels after the rows and again after the columns, and cut off what the bicubic
filter overshoots.
"""

from __future__ import annotations

import torch  # noqa: F401  # first, so that a missing torch is what is missed
import triton
import triton.language as tl

from fornet_hf.recombination.device.batch import FLOATS, LAYER, MASK

OFFSET, ROW, PIXEL, CHANNEL, WIDTH, HEIGHT = (tl.constexpr(number) for number in range(len(LAYER)))
X, Y = tl.constexpr(len(LAYER)), tl.constexpr(len(LAYER) + 2)
BITS, BITS_ROW = (tl.constexpr(len(LAYER) + len(FLOATS) + number) for number in range(len(MASK)))


@triton.jit
def taps(axis, at, CUBIC: tl.constexpr):
    """Return first tap, number of taps, centre and width of the filter for the pixels `at` of a scaled layer.

    `axis` points to start and step of a `layers.Axis`.
    """
    step = tl.load(axis + 1)
    coarse = tl.maximum(step, 1.0)
    reach = 2 * coarse if CUBIC else coarse
    centre = tl.load(axis) + (at.to(tl.float32) + 0.5) * step
    return tl.floor(centre - reach + 0.5).to(tl.int32), tl.ceil(2 * reach).to(tl.int32) + 1, centre, coarse


@triton.jit
def weight(tap, centre, coarse, length, CUBIC: tl.constexpr):
    """Return the weight of a pixel of the source, 0 beyond it; Keys' kernel with a = -0.5 for bicubic."""
    away = tl.abs(tap.to(tl.float32) + 0.5 - centre) / coarse
    if CUBIC:
        near = (1.5 * away - 2.5) * away * away + 1
        far = ((-0.5 * away + 2.5) * away - 4) * away + 2
        share = tl.where(away < 1, near, tl.where(away < 2, far, 0.0))
    else:
        share = tl.maximum(1.0 - away, 0.0)
    return tl.where((tap >= 0) & (tap < length), share, 0.0)


@triton.jit
def norm(total):
    """Return what divides by a sum of weights; 1 where no pixel has any."""
    return 1.0 / tl.where(total > 0, total, 1.0)


@triton.jit
def norm_along(first, count, centre, coarse, length, CUBIC: tl.constexpr):
    """Return what divides by the sum of all weights along an axis."""
    total = tl.zeros_like(centre)
    for k in range(count):
        total += weight(first + k, centre, coarse, length, CUBIC)
    return norm(total)


@triton.jit
def whole(level, CUBIC: tl.constexpr):
    """Return whole levels."""
    rounded = tl.floor(level + 0.5)
    return tl.minimum(tl.maximum(rounded, 0.0), 255.0) if CUBIC else rounded


@triton.jit
def colours(pixels, layer, axes, x, y, shown, CODED: tl.constexpr, CUBIC: tl.constexpr):
    """Return red, green and blue of a layer, 0 to 255, at the pixels x and y of it that are shown; else 0.

    Args:
        pixels: the batch's buffer: its bytes if it is CODED, else its words of 4 bytes, which are pixels.
        layer: the layer's index.
        axes: the same as float32.
        x: pixels of the layer at the output's scale.
        y: likewise.
        shown: whether the layer has them.
        CODED: whether there are JPEGs' planes among the layers.
        CUBIC: whether the filter is bicubic.
    """
    width, height = tl.load(layer + WIDTH), tl.load(layer + HEIGHT)
    offset, row = tl.load(layer + OFFSET), tl.load(layer + ROW)
    pixel, channel = tl.load(layer + PIXEL), tl.load(layer + CHANNEL)
    x_first, x_count, x_centre, x_coarse = taps(axes + X, x, CUBIC)
    y_first, y_count, y_centre, y_coarse = taps(axes + Y, y, CUBIC)
    x_norm = norm_along(x_first, x_count, x_centre, x_coarse, width, CUBIC)
    total = tl.zeros_like(x_centre)
    red, green, blue = tl.zeros_like(x_centre), tl.zeros_like(x_centre), tl.zeros_like(x_centre)
    for j in range(y_count):
        at_y = y_first + j
        y_share = weight(at_y, y_centre, y_coarse, height, CUBIC)
        inside_y = shown & (at_y >= 0) & (at_y < height)
        r, g, b = tl.zeros_like(x_centre), tl.zeros_like(x_centre), tl.zeros_like(x_centre)
        for k in range(x_count):
            at_x = x_first + k
            share = weight(at_x, x_centre, x_coarse, width, CUBIC)
            inside = inside_y & (at_x >= 0) & (at_x < width)
            if CODED:
                place = pixels + offset + at_y * row + at_x * pixel
                r += share * tl.load(place, mask=inside, other=0).to(tl.float32)
                g += share * tl.load(place + channel, mask=inside, other=0).to(tl.float32)
                b += share * tl.load(place + 2 * channel, mask=inside, other=0).to(tl.float32)
            else:
                quad = tl.load(pixels + offset // 4 + at_y * (row // 4) + at_x, mask=inside, other=0)
                r += share * (quad & 255).to(tl.float32)
                g += share * ((quad >> 8) & 255).to(tl.float32)
                b += share * ((quad >> 16) & 255).to(tl.float32)
        red += y_share * whole(r * x_norm, CUBIC)
        green += y_share * whole(g * x_norm, CUBIC)
        blue += y_share * whole(b * x_norm, CUBIC)
        total += y_share
    y_norm = norm(total)
    return whole(red * y_norm, CUBIC), whole(green * y_norm, CUBIC), whole(blue * y_norm, CUBIC)


@triton.jit
def mask_levels(pixels, layer, axes, x, y, shown, CODED: tl.constexpr, CUBIC: tl.constexpr):
    """Return the mask of a foreground, 0 to 255, as `colours` does: packed bits, or the fourth byte of pixels."""
    width, height = tl.load(layer + WIDTH), tl.load(layer + HEIGHT)
    offset, row, pixel = tl.load(layer + OFFSET), tl.load(layer + ROW), tl.load(layer + PIXEL)
    bits, bits_row = tl.load(layer + BITS), tl.load(layer + BITS_ROW)
    x_first, x_count, x_centre, x_coarse = taps(axes + X, x, CUBIC)
    y_first, y_count, y_centre, y_coarse = taps(axes + Y, y, CUBIC)
    x_norm = norm_along(x_first, x_count, x_centre, x_coarse, width, CUBIC)
    level, total = tl.zeros_like(x_centre), tl.zeros_like(x_centre)
    for j in range(y_count):
        at_y = y_first + j
        y_share = weight(at_y, y_centre, y_coarse, height, CUBIC)
        inside_y = shown & (at_y >= 0) & (at_y < height)
        along = tl.zeros_like(x_centre)
        for k in range(x_count):
            at_x = x_first + k
            share = weight(at_x, x_centre, x_coarse, width, CUBIC)
            inside = inside_y & (at_x >= 0) & (at_x < width)
            if CODED:
                packed = bits_row > 0
                alpha = offset + at_y * row + at_x * pixel + 3
                place = tl.where(packed, bits + at_y * bits_row + (at_x >> 3), alpha)
                byte = tl.load(pixels + place, mask=inside, other=0).to(tl.int32)
                found = tl.where(packed, ((byte >> (7 - (at_x & 7))) & 1) * 255, byte)
            else:
                quad = tl.load(pixels + offset // 4 + at_y * (row // 4) + at_x, mask=inside, other=0)
                found = (quad >> 24) & 255
            along += share * found.to(tl.float32)
        level += y_share * whole(along * x_norm, CUBIC)
        total += y_share
    return whole(level * norm(total), CUBIC)
