"""Images as layers: composed, and their foregrounds shifted against the backgrounds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch


class Layers(NamedTuple):
    """The layers of n images.

    Attributes:
        foreground: float, n x 3 x side x side, about -1 to 1, unbounded.
        mask: float, n x 1 x side x side, 0 to 1: how much of the foreground is seen.
        background: as `foreground`.
    """

    foreground: torch.Tensor
    mask: torch.Tensor
    background: torch.Tensor


def composed(layers: Layers) -> torch.Tensor:
    """Return the images: `(1 - mask) background + mask foreground`, n x 3 x side x side."""
    return torch.lerp(layers.background, layers.foreground, layers.mask.expand_as(layers.background))


def drawn_offsets(count: int, reach: float, side: int, generator: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return whole pixels by which foregrounds are moved down and to the right: int64, count x 2.

    Args:
        count: of the images.
        reach: share of the side that they are moved by at most; uniform, then rounded.
        side: of the images, pixels.
        generator: that draws.
    """
    return np.rint(generator.uniform(-reach, reach, (count, 2)) * side).astype(np.int64)


def shifted(layers: Layers, offsets: torch.Tensor) -> Layers:
    """Return layers whose foregrounds and masks are moved; zeros come in at the borders, and backgrounds stay.

    Args:
        layers: of n images.
        offsets: int64, n x 2: pixels down and to the right.
    """
    both = torch.cat([layers.foreground, layers.mask], 1)
    count, channels, high, wide = both.shape
    rows = torch.arange(high, device=both.device) - offsets[:, :1]
    columns = torch.arange(wide, device=both.device) - offsets[:, 1:]
    inside = ((rows >= 0) & (rows < high))[:, :, None] & ((columns >= 0) & (columns < wide))[:, None, :]
    places = rows.clamp(0, high - 1)[:, :, None] * wide + columns.clamp(0, wide - 1)[:, None, :]
    index = places.view(count, 1, -1).expand(-1, channels, -1)
    moved = both.flatten(2).gather(2, index).view_as(both) * inside[:, None]
    return Layers(moved[:, :3], moved[:, 3:], layers.background)
