"""The images of a batch as tensors on a device, those of a size together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from producers.devices.placement import Placement


def stacks(rasters: Sequence[np.ndarray], placement: Placement) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield for each size of images their numbers in the batch and their pixels, both on the device.

    Args:
        rasters: uint8, height x width x 3.
        placement: of the tensors.

    Yields:
        Numbers, int64; and pixels, float32, as many x 3 x height x width, 0 to 255.
    """
    places: dict[tuple[int, ...], list[int]] = {}
    for index, raster in enumerate(rasters):
        places.setdefault(raster.shape, []).append(index)
    for where in places.values():
        stack = placement.stacked([rasters[index] for index in where])
        yield placement.moved(torch.tensor(where)), stack.permute(0, 3, 1, 2).contiguous().float()
