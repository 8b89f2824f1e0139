"""Images painted: the background, then the object through its feathered mask, in the form that was asked for."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from fornet_hf.recombination.device.batch import AT, COLUMNS, Batch
from fornet_hf.recombination.device.form import Form
from fornet_hf.recombination.device.kernels.masks import (
    FOREGROUND,
    PLACE_HEIGHT,
    PLACE_WIDTH,
    blur_masks,
    scale_masks,
)
from fornet_hf.recombination.device.kernels.scaling import colours
from fornet_hf.recombination.draw.configuration import BICUBIC

FLIP, PASTED = tl.constexpr(AT["flip"]), tl.constexpr(AT["pasted"])
LEFT, TOP = tl.constexpr(AT["left"]), tl.constexpr(AT["top"])
BACKGROUND = tl.constexpr(AT["background_offset"])
X_HALF, Y_HALF = tl.constexpr(AT["x_half"]), tl.constexpr(AT["y_half"])
_PIXELS = 512  # of a mask, for one block of threads
_TILE = 32, 8  # columns and rows of an image, for one block of threads


def painted(batch: Batch, form: Form) -> tuple[Tensor, Tensor | None]:
    """Return what `products.painted` returns."""
    with torch.cuda.device_of(batch.flat):  # type: ignore[no-untyped-call]  # where Triton launches
        return _painted(batch, _feathered(batch), form)


def _feathered(batch: Batch) -> Tensor:
    """Return the masks, 0 to 255, images x height x width of the largest place; the contrast is not yet doubled."""
    index, floats = batch.index()
    width, height = batch.place
    masks = torch.empty((len(batch), height, width), dtype=torch.float16, device=batch.device)
    other = torch.empty_like(masks)
    grid = (len(batch) * triton.cdiv(width * height, _PIXELS),)
    place = len(batch), width, height, len(COLUMNS)
    scale_masks[grid](_pixels(batch), index, floats, masks, *place, _PIXELS, *_kind(batch))
    for axis in (0, 0, 0, 1, 1, 1):
        blur_masks[grid](masks, other, index, floats, *place, AT["x_half"] + axis, axis == 0, _PIXELS)
        masks, other = other, masks
    return masks


def _painted(batch: Batch, feathered: Tensor, form: Form) -> tuple[Tensor, Tensor | None]:
    index, floats = batch.index()
    (width, height), count = batch.output, len(batch)
    images = torch.empty(
        (count, 3, height, width), dtype=form.dtype, device=batch.device, memory_format=form.memory_format
    )
    masks = (
        torch.empty((count, 1, height, width), dtype=torch.uint8, device=batch.device) if batch.with_masks else None
    )
    grid = (count * triton.cdiv(width, _TILE[0]) * triton.cdiv(height, _TILE[1]),)
    paint[grid](
        _pixels(batch), index, floats, feathered, images, feathered if masks is None else masks,
        count, width, height, *batch.place, *form.scale, *form.shift, *images.stride(),
        len(COLUMNS), *_TILE, *_kind(batch), masks is not None,
    )  # fmt: skip
    return images, masks


def _pixels(batch: Batch) -> Tensor:
    return batch.flat if batch.codes is not None else batch.flat.view(torch.int32)


def _kind(batch: Batch) -> tuple[bool, bool]:
    """Return whether the batch had JPEGs, and whether the filter is bicubic."""
    return batch.codes is not None, batch.interpolation == BICUBIC


@triton.jit(do_not_specialize=["count", "place_width", "place_height"])
def paint(
    pixels, index, floats, feathered, out, masks, count, width, height, place_width, place_height,
    red_scale, green_scale, blue_scale, red_shift, green_shift, blue_shift, at_image, at_channel, at_row, at_pixel,
    COLUMNS: tl.constexpr, TILE_X: tl.constexpr, TILE_Y: tl.constexpr,
    CODED: tl.constexpr, CUBIC: tl.constexpr, MASKS: tl.constexpr,
):  # fmt: skip
    """Write a tile of an image, images x 3 x height x width by their strides; and on request of its mask, uint8."""
    image, tile = (tl.program_id(0) % count).to(tl.int64), tl.program_id(0) // count
    index += image * COLUMNS
    floats += image * COLUMNS
    across = (width + TILE_X - 1) // TILE_X
    inner = tl.arange(0, TILE_X * TILE_Y)
    x = (tile % across) * TILE_X + inner % TILE_X
    y = (tile // across) * TILE_Y + inner // TILE_X
    inside = (x < width) & (y < height)
    seen_x = tl.where(tl.load(index + FLIP) != 0, width - 1 - x, x)
    red, green, blue = colours(pixels, index + BACKGROUND, floats + BACKGROUND, seen_x, y, inside, CODED, CUBIC)
    place_x, place_y = seen_x - tl.load(index + LEFT), y - tl.load(index + TOP)
    shown = inside & (place_x >= 0) & (place_y >= 0)
    shown &= (place_x < tl.load(index + PLACE_WIDTH)) & (place_y < tl.load(index + PLACE_HEIGHT))
    level = tl.zeros([TILE_X * TILE_Y], tl.float32)
    if tl.max(shown.to(tl.int32), 0) > 0:
        feathered += image * place_width * place_height
        soft = tl.load(feathered + place_y * place_width + place_x, mask=shown, other=0).to(tl.float32)
        hard = (tl.load(floats + X_HALF) <= 0) & (tl.load(floats + Y_HALF) <= 0)
        # Half a level more, as Pillow's bytes are rounded down.
        level = tl.minimum(tl.where(hard, soft, tl.floor(tl.maximum(2 * soft - 254.5, 0.0))), 255.0)
        if (tl.max(level, 0) > 0) & (tl.load(index + PASTED) != 0):
            r, g, b = colours(pixels, index + FOREGROUND, floats + FOREGROUND, place_x, place_y, shown, CODED, CUBIC)
            share = level / 255
            red = tl.floor(red + (r - red) * share + 0.5)
            green = tl.floor(green + (g - green) * share + 0.5)
            blue = tl.floor(blue + (b - blue) * share + 0.5)
    if MASKS:
        tl.store(masks + image * width * height + y * width + x, level.to(masks.dtype.element_ty), mask=inside)
    target = out + image * at_image + y * at_row + x * at_pixel
    kind = out.dtype.element_ty
    tl.store(target, (red * red_scale + red_shift).to(kind), mask=inside)
    tl.store(target + at_channel, (green * green_scale + green_shift).to(kind), mask=inside)
    tl.store(target + 2 * at_channel, (blue * blue_scale + blue_shift).to(kind), mask=inside)
