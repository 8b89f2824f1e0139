"""Images and holes at the size at which a latent diffusion model works, and its answers pasted into the images."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence

import torch
from torch.nn import functional

from fornet_hf.format.masks import Mask
from producers.devices.batches import BatchSize, run_batched
from producers.devices.opencv import blended
from producers.devices.placement import Placement
from producers.scene import Raster

Asked = tuple[Raster, Mask]


def infilled(
    rasters: Sequence[Raster],
    holes: Sequence[Mask],
    fill: Callable[[list[Asked]], list[Raster]],
    *,
    size: BatchSize,
    bucket: Callable[[int, int], Hashable] = lambda *_: None,
) -> list[Raster]:
    """Return images with their holes filled; those without a hole come back as copies.

    Args:
        rasters: the images.
        holes: of their sizes.
        fill: does so for images that have holes.
        size: of its batches.
        bucket: of a height and width; only images of equal ones share a batch.
    """
    images = list(zip(rasters, holes, strict=True))
    asked = [image for image in images if image[1].any()]
    answers = iter(run_batched(asked, fill, size=size, key=lambda image: bucket(*image[1].shape)))
    return [next(answers) if hole.any() else raster.copy() for raster, hole in images]


def enlarged(
    asked: Sequence[Asked], shape: tuple[int, int], placement: Placement, *, latent: int, black: bool = True
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images and their holes at another size, on the device.

    Args:
        asked: images of any size and their holes.
        shape: height and width that all get.
        placement: names the device.
        latent: pixels of a side that one latent value stands for; a divisor of the shape.
        black: whether images are black where their holes are.

    Returns:
        Images, float32, n x 3 x height x width, 0 to 1; holes, float32, n x 1 x height x width, 0 or 1, which are
        constant over each latent value, and 1 as soon as one of its pixels is: thin holes stay.
    """
    cells = (shape[0] // latent, shape[1] // latent)
    images = torch.empty(len(asked), 3, *shape, device=placement.device)
    masks = torch.empty(len(asked), 1, *cells, device=placement.device)
    for numbers in _of_one_size(asked):
        rasters = placement.stacked([asked[number][0] for number in numbers])
        holes = placement.stacked([asked[number][1] for number in numbers])[..., None]
        seen = rasters.masked_fill(holes, 0) if black else rasters
        pixels = seen.permute(0, 3, 1, 2).float() / 255
        at = torch.tensor(numbers, device=placement.device)
        images[at] = functional.interpolate(pixels, shape, mode="bilinear", antialias=True).clamp(0, 1)
        fine = _covering((holes.shape[1], holes.shape[2]), cells)
        spread = functional.interpolate(holes.permute(0, 3, 1, 2).float(), fine, mode="nearest-exact")
        masks[at] = functional.adaptive_max_pool2d(spread, cells)
    return images, functional.interpolate(masks, shape, mode="nearest")


def pasted(asked: Sequence[Asked], made: torch.Tensor, feather: int) -> list[Raster]:
    """Return the images with their holes filled; outside of the holes nothing changes.

    Args:
        asked: images of any size and their holes.
        made: images at working size, float32, n x 3 x height x width, 0 to 1.
        feather: pixels inside of the hole over which the image fades into what was made.
    """
    results: dict[int, Raster] = {}
    for numbers in _of_one_size(asked):
        size = asked[numbers[0]][1].shape
        pixels = functional.interpolate(made[numbers], size, mode="bicubic", antialias=True)
        fillings = (pixels.permute(0, 2, 3, 1) * 255).clamp(0, 255).cpu().numpy()
        for number, filling in zip(numbers, fillings, strict=True):
            raster, hole = asked[number]
            results[number] = blended(raster, filling, hole, feather)
    return [results[number] for number in range(len(asked))]


def _of_one_size(asked: Sequence[Asked]) -> Iterator[list[int]]:
    groups: dict[tuple[int, ...], list[int]] = {}
    for number, (_, hole) in enumerate(asked):
        groups.setdefault(hole.shape, []).append(number)
    yield from groups.values()


def _covering(size: tuple[int, int], grid: tuple[int, int]) -> tuple[int, int]:
    """Return the least multiple of the grid, in height and width, on which no pixel gets lost."""
    high, wide = (-(-side // cells) * cells for side, cells in zip(size, grid, strict=True))
    return high, wide
