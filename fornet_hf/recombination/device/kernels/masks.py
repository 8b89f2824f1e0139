"""Masks of the objects on their places: scaled, and blurred by a box three times along either axis."""

from __future__ import annotations

import torch  # noqa: F401  # first, so that a missing torch is what is missed
import triton
import triton.language as tl

from fornet_hf.recombination.device.batch import AT
from fornet_hf.recombination.device.kernels.scaling import mask_levels

PLACE_WIDTH, PLACE_HEIGHT = tl.constexpr(AT["width"]), tl.constexpr(AT["height"])
FOREGROUND = tl.constexpr(AT["foreground_offset"])
_VARYING = ["images", "width", "height"]  # from batch to batch: nothing is compiled anew for them


@triton.jit(do_not_specialize=_VARYING)
def scale_masks(
    pixels, index, floats, out, images, width, height,
    COLUMNS: tl.constexpr, BLOCK: tl.constexpr, CODED: tl.constexpr, CUBIC: tl.constexpr,
):  # fmt: skip
    """Write the mask of each image, whole levels, images x height x width; beyond its place is 0."""
    image = (tl.program_id(0) % images).to(tl.int64)
    pixel = (tl.program_id(0) // images) * BLOCK + tl.arange(0, BLOCK)
    index += image * COLUMNS
    floats += image * COLUMNS
    x, y = pixel % width, pixel // width
    shown = (x < tl.load(index + PLACE_WIDTH)) & (y < tl.load(index + PLACE_HEIGHT))
    level = mask_levels(pixels, index + FOREGROUND, floats + FOREGROUND, x, y, shown, CODED, CUBIC)
    tl.store(out + image * width * height + pixel, level.to(out.dtype.element_ty), mask=pixel < width * height)


@triton.jit(do_not_specialize=_VARYING)
def blur_masks(
    source, out, index, floats, images, width, height,
    COLUMNS: tl.constexpr, HALF: tl.constexpr, ALONG_X: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Write the means over boxes of 2 * half + 1 pixels, the outermost two in part; the place's border is repeated.

    HALF: the column of half widths.
    """
    image = (tl.program_id(0) % images).to(tl.int64)
    pixel = (tl.program_id(0) // images) * BLOCK + tl.arange(0, BLOCK)
    index += image * COLUMNS
    half = tl.load(floats + image * COLUMNS + HALF)
    source += image * width * height
    x, y = pixel % width, pixel // width
    last_x, last_y = tl.load(index + PLACE_WIDTH) - 1, tl.load(index + PLACE_HEIGHT) - 1
    shown = (x <= last_x) & (y <= last_y)
    reach = tl.floor(half).to(tl.int32) + 1
    part = half - tl.floor(half)
    total = tl.zeros([BLOCK], tl.float32)
    for k in range(2 * reach + 1):
        share = tl.where((k == 0) | (k == 2 * reach), part, 1.0)
        if ALONG_X:
            place = y * width + tl.minimum(tl.maximum(x + k - reach, 0), last_x)
        else:
            place = tl.minimum(tl.maximum(y + k - reach, 0), last_y) * width + x
        total += share * tl.load(source + place, mask=shown, other=0).to(tl.float32)
    mean = total / (2 * half + 1)
    tl.store(out + image * width * height + pixel, mean.to(out.dtype.element_ty), mask=pixel < width * height)
