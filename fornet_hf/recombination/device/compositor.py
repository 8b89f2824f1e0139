"""`Compositor`: images from a batch of deferred ones, on whatever device the batch is on. No loop over images.

Everything is a product of matrices: filters and feathers are built for the output's own pixels, so that offset, crop
and mirroring are only other rows. Half precision (11 bits) is exact enough for pixels and weights, and GPUs multiply
it fastest; sums are of 32 bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from fornet_hf.recombination.device.batch import AT, Batch, Most
from fornet_hf.recombination.device.filters import Taps, dense, feathers, taps
from fornet_hf.recombination.device.jpegs import with_decoded
from fornet_hf.recombination.draw.configuration import BILINEAR


class Composed(NamedTuple):
    """Attributes: `images` as `Compositor` says; `masks`, uint8, images x 1 x height x width, what was pasted."""

    images: Tensor
    masks: Tensor


class Compositor(nn.Module):
    """Composes batches: `images, labels = compositor(batch.to(device))`.

    Args:
        mean: of each channel, 0 to 1.
        std: of each channel.
        dtype: of the images; torch.uint8: 0 to 255, neither mean nor std.
        memory_format: of the images, such as torch.channels_last.

    Returns: images of 3 x height x width, (level / 255 - mean) / std; and labels.

    Example:
        >>> import fornet_hf, torch
        >>> ds = fornet_hf.load_dataset(patches="demo/made/patches", imagenet_dir="demo/pictures", split="train")
        >>> ds.set_transform(fornet_hf.Recombine(ds, background_combination="same", crop=96, defer="pixels"))
        >>> batch = fornet_hf.collate([ds[0], ds[1]])
        >>> images, labels = fornet_hf.Compositor(dtype=torch.uint8)(batch.to("cpu"))
        >>> images.shape
        torch.Size([2, 3, 96, 96])
    """

    scale: Tensor
    shift: Tensor

    def __init__(
        self,
        mean: Sequence[float] = (0.0, 0.0, 0.0),
        std: Sequence[float] = (1.0, 1.0, 1.0),
        *,
        dtype: torch.dtype = torch.float32,
        memory_format: torch.memory_format = torch.contiguous_format,
    ) -> None:
        super().__init__()
        self.dtype, self.memory_format = dtype, memory_format
        deviation = torch.tensor(std, dtype=torch.float32)
        scale, shift = 1 / (255 * deviation), -torch.tensor(mean, dtype=torch.float32) / deviation
        self.register_buffer("scale", scale.view(1, 3, 1, 1), persistent=False)
        self.register_buffer("shift", shift.view(1, 3, 1, 1), persistent=False)

    def forward(self, batch: Batch) -> tuple[Tensor, object]:
        """Return images and labels."""
        return self.composed(batch).images, batch.labels

    @torch.no_grad()
    def composed(self, batch: Batch) -> Composed:
        """Return images and masks."""
        with torch.autocast(batch.device.type, enabled=False):
            kind = torch.float16 if batch.device.type == "cuda" else torch.float32
            levels, alpha = compose(with_decoded(batch), kind)
            return Composed(self._finished(levels), alpha.mul(255).round_().to(torch.uint8)[:, None])

    def _finished(self, levels: Tensor) -> Tensor:
        """Return levels of images x height x 3 x width in the form that was asked for."""
        levels = levels.permute(0, 2, 1, 3)
        if self.dtype == torch.uint8:
            return levels.to(torch.uint8, memory_format=self.memory_format)
        images = torch.empty(levels.shape, dtype=self.dtype, device=levels.device, memory_format=self.memory_format)
        scale, shift = self.scale.to(levels.device), self.shift.to(levels.device)
        return (
            torch.add(levels * scale, shift, out=images)
            if self.dtype == torch.float32
            else images.copy_(levels * scale + shift)
        )


def compose(batch: Batch, kind: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return whole levels, images x height x 3 x width, and what was pasted, images x height x width, 0 to 1.

    Matrices and levels are of `kind`, torch.float16 (GPUs) or torch.float32 (CPUs).
    """
    whole, _ = batch.index()
    x, y = Along.of(batch, whole, 0), Along.of(batch, whole, 1)
    image = scaled(batch, "background", (x, y), kind)
    mask = pasted(batch, (x, y), kind)
    if batch.foreground == Most():
        return image, mask
    colours = scaled(batch, "foreground", (x, y), kind)
    return image.addcmul_(colours.sub_(image), mask[:, :, None]).round_(), mask


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
    found = flat.index_select(0, places.clamp_(max=len(flat) - 1).view(-1))
    return found.view(places.shape)


def _columns(most: Most, axis: int) -> int:
    return _even(most[axis])


def _even(length: int) -> int:
    """Return at least as many, so that a row of a matrix begins where tensor cores want it."""
    return -(-length // 16) * 16
