"""Composing as products of matrices, by torch alone: on the CPU, and on GPUs without Triton.

Filters and feathers are built for the output's own pixels, so that offset, crop and mirroring are only other rows.
Half precision (11 bits) is exact enough for pixels and weights, and GPUs multiply it fastest; sums are of 32 bits.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from fornet_hf.recombination.device.batch import AT, Batch, Most
from fornet_hf.recombination.device.filters import Taps, dense, feathers, taps
from fornet_hf.recombination.device.form import Form
from fornet_hf.recombination.draw.configuration import BILINEAR


def painted(batch: Batch, form: Form) -> tuple[Tensor, Tensor | None]:
    """Return the images of a batch without JPEGs, or with decoded ones, in a form; and their masks, if wanted."""
    # CPUs with matrix units multiply float32 as bfloat16 where torch's matmul precision is "medium"; float64 never.
    levels, alpha = compose(batch, torch.float16 if batch.device.type == "cuda" else torch.float64)
    masks = alpha.mul_(255).round_().to(torch.uint8)[:, None] if batch.with_masks else None
    return _formed(levels.permute(0, 2, 1, 3), form), masks


def _formed(levels: Tensor, form: Form) -> Tensor:
    """Return levels, images x 3 x height x width, in a form; channel by channel, so that no number is a tensor."""
    images = torch.empty(levels.shape, dtype=form.dtype, device=levels.device, memory_format=form.memory_format)
    if form.dtype == torch.uint8:
        return images.copy_(levels)
    for channel in range(3):
        numbers = levels[:, channel].to(torch.float32).mul(form.scale[channel]).add_(form.shift[channel])
        images[:, channel].copy_(numbers)
    return images


def compose(batch: Batch, kind: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return whole levels, images x height x 3 x width, and the objects' masks, images x height x width, 0 to 1.

    Matrices and levels are of `kind`, torch.float16 (GPUs) or torch.float64 (CPUs).
    """
    whole, _ = batch.index()
    x, y = Along.of(batch, whole, 0), Along.of(batch, whole, 1)
    image = scaled(batch, "background", (x, y), kind)
    mask = pasted(batch, (x, y), kind)
    if batch.foreground == Most():
        return image, mask
    colours = scaled(batch, "foreground", (x, y), kind)
    alpha = mask * whole[:, AT["pasted"], None, None]
    return image.addcmul_(colours.sub_(image), alpha[:, :, None]).round_(), mask


class Along(NamedTuple):
    """The pixels of the output along one axis.

    Attributes:
        all: float32, images x output: their numbers, mirrored where the image is.
        place: the same, from the beginning of the foreground's place.
        shown: whether they lie in the place.
        length: images: pixels of the place.
    """

    all: Tensor
    place: Tensor
    shown: Tensor
    length: Tensor

    @classmethod
    def of(cls, batch: Batch, whole: Tensor, axis: int) -> Along:
        """Return those of an axis, 0: x."""
        output = batch.output[axis]
        pixels = torch.arange(output, device=whole.device, dtype=torch.float32).expand(len(whole), -1)
        if axis == 0:
            pixels = torch.where(whole[:, AT["flip"], None] != 0, output - 1 - pixels, pixels)
        first, length = whole[:, AT["left"] + axis, None], whole[:, AT["width"] + axis]
        place = pixels - first
        return cls(pixels, place, (place >= 0) & (place < length[:, None]), length)


def scaled(batch: Batch, layer: str, axes: tuple[Along, Along], kind: torch.dtype) -> Tensor:
    """Return a layer at the output's size, whole levels, images x height x 3 x width; 0 where it shows nothing."""
    every = layer == "background"
    most: Most = getattr(batch, layer)
    matrices = [
        dense(
            _taps(batch, layer, axis, along.all if every else along.place, None if every else along.shown),
            _columns(most, axis),
            kind,
        )
        for axis, along in enumerate(axes)
    ]
    pixels = windows(batch, layer, kind)
    return _product(pixels, matrices[0], matrices[1], overshoots=batch.interpolation != BILINEAR)


def pasted(batch: Batch, axes: tuple[Along, Along], kind: torch.dtype) -> Tensor:
    """Return the masks with their soft edges on the output, images x height x width, 0 to 1 in steps of 1 / 255."""
    whole, fraction = batch.index()
    matrices, edges = [], []
    for axis, along in enumerate(axes):
        columns = _even(batch.place[axis])
        at = torch.arange(columns, device=whole.device, dtype=torch.float32).expand(len(whole), -1)
        shown = at < along.length[:, None]
        matrices.append(dense(_taps(batch, "foreground", axis, at, shown), _columns(batch.foreground, axis), kind))
        half = fraction[:, AT["x_half"] + axis]
        edges.append(feathers(along.place, along.shown, half, along.length, columns, kind))
    source, overshoots = mask_windows(batch, kind)[:, :, None], batch.interpolation != BILINEAR
    hard = _product(source, matrices[0], matrices[1], overshoots=overshoots)[:, :, 0]
    soft = edges[1] @ hard @ edges[0].transpose(1, 2)
    is_hard = (fraction[:, AT["x_half"]] <= 0) & (fraction[:, AT["y_half"]] <= 0)
    # Half a level more, as Pillow's bytes are rounded down. A product of halves may say 255.75 where a mask is whole.
    sharp = torch.where(is_hard[:, None, None], soft.round(), (2 * soft - 254.5).floor_())
    return sharp.clamp_(0, 255).div_(255)


def _product(pixels: Tensor, x: Tensor, y: Tensor, *, overshoots: bool) -> Tensor:
    """Scale images x height x channels x width along the rows, then along the columns, rounded after either."""
    images, height, channels, width = pixels.shape
    rows = torch.bmm(pixels.reshape(images, height * channels, width), x.transpose(1, 2)).round_()
    if overshoots:
        rows.clamp_(0, 255)
    levels = torch.bmm(y, rows.view(images, height, -1)).round_()
    if overshoots:
        levels.clamp_(0, 255)
    return levels.view(images, -1, channels, x.shape[1])


def _taps(batch: Batch, layer: str, axis: int, at: Tensor, shown: Tensor | None) -> Taps:
    whole, fraction = batch.index()
    column = AT[f"{layer}_x_start"] + 2 * axis
    length, most = whole[:, AT[f"{layer}_columns"] + axis], getattr(batch, layer)
    shown = torch.ones_like(at, dtype=torch.bool) if shown is None else shown
    return taps(fraction[:, column], fraction[:, column + 1], length, at, shown, most[2 + axis], batch.interpolation)


def windows(batch: Batch, layer: str, kind: torch.dtype) -> Tensor:
    """Return the sources of a layer, images x height x 3 x width; beyond each is anything."""
    whole, _ = batch.index()
    most: Most = getattr(batch, layer)
    first = AT[f"{layer}_offset"]
    offset, row, pixel, channel = (whole[:, first + n, None, None] for n in range(4))
    y = torch.arange(_columns(most, 1), device=whole.device, dtype=torch.int32)[None, :, None]
    x = torch.arange(_columns(most, 0), device=whole.device, dtype=torch.int32)
    if batch.codes is None:  # four bytes a pixel: one look for all of them
        places = ((offset + y * row) >> 2) + x
        quads = _looked_up(batch.flat.view(torch.int32), places)
        return (
            quads.view(torch.uint8)
            .view(*places.shape, 4)[..., :3]
            .permute(0, 1, 3, 2)
            .to(kind, memory_format=torch.contiguous_format)
        )
    c = torch.arange(3, device=whole.device, dtype=torch.int32)[:, None]
    places = (offset + y * row)[..., None] + c * channel[..., None] + x * pixel[..., None]
    return _looked_up(batch.flat, places).to(kind)


def mask_windows(batch: Batch, kind: torch.dtype) -> Tensor:
    """Return the masks of the foregrounds, images x height x width, 0 to 255; beyond each is anything."""
    whole, _ = batch.index()
    y = torch.arange(_columns(batch.foreground, 1), device=whole.device, dtype=torch.int32)[None, :, None]
    x = torch.arange(_columns(batch.foreground, 0), device=whole.device, dtype=torch.int32)
    offset, row, pixel, channel = (whole[:, AT["foreground_offset"] + n, None, None] for n in range(4))
    levels = 3 * channel + offset + y * row + x * pixel
    if batch.codes is None:
        return _looked_up(batch.flat, levels).to(kind)
    mask, mask_row = (whole[:, AT["foreground_mask"] + n, None, None] for n in range(2))
    packed = mask_row > 0
    found = _looked_up(batch.flat, torch.where(packed, mask + y * mask_row + (x >> 3), levels))
    bits = ((found >> (7 - (x & 7)).to(torch.uint8)) & 1) * 255
    return torch.where(packed, bits, found).to(kind)


def _looked_up(flat: Tensor, places: Tensor) -> Tensor:
    # Beyond a source places may lie after the end; or before the beginning, where int32 overflowed.
    found = flat.index_select(0, places.clamp_(0, len(flat) - 1).view(-1))
    return found.view(places.shape)


def _columns(most: Most, axis: int) -> int:
    return _even(most[axis])


def _even(length: int) -> int:
    """Return at least as many, so that a row of a matrix begins where tensor cores want it."""
    return -(-length // 16) * 16
