"""Outputs of layers read as feature maps: by their shapes alone, whatever library they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

Grid = tuple[int, int]  # rows and columns

MOST_PREFIX_TOKENS = 16  # of networks that do not state theirs


@dataclass(frozen=True)
class Reading:
    """Manner in which the output of a layer holds feature maps.

    Attributes:
        grid: rows and columns.
        axis: the one of the channels: 1 or 3 of maps, 2 of tokens.
        tokens: the output is n x tokens x channels.
        prefix: tokens that come before those of the grid.
        patches: the tokens are on the grid of a convolution, such as the one that makes patches.
    """

    grid: Grid
    axis: int
    tokens: bool = False
    prefix: int = 0
    patches: bool = False

    def maps(self, output: torch.Tensor) -> torch.Tensor:
        """Return the feature maps, n x channels x rows x columns."""
        if self.tokens:
            output = output[:, self.prefix :].reshape(len(output), *self.grid, -1)
        return output if self.axis == 1 else output.movedim(-1, 1)


def reading(shape: Sequence[int], size: Grid, grids: Sequence[Grid], prefix: int | None) -> Reading | None:
    """Return how an output is read; None: it holds no feature maps of more than one cell.

    Args:
        shape: of the output for one image.
        size: height and width of the image.
        grids: those of the convolutions before.
        prefix: number of class tokens and registers, where the network states it.
    """
    found = None
    if len(shape) == 4:
        found = _of_maps(shape, size)
    elif len(shape) == 3 and shape[2] > 1:
        found = _of_tokens(shape[1], size, grids, prefix)
    return found if found and max(found.grid) > 1 else None


def _of_maps(shape: Sequence[int], size: Grid) -> Reading | None:
    """Return the reading with the shape of the image; channels are more likely to come first."""
    found = [
        Reading(grid, axis)
        for grid, axis in (((shape[2], shape[3]), 1), ((shape[1], shape[2]), 3))
        if _fits(grid, size)
    ]
    return min(found, key=lambda one: _misfit(one.grid, size), default=None)


def _of_tokens(count: int, size: Grid, grids: Sequence[Grid], prefix: int | None) -> Reading | None:
    allowed = range(MOST_PREFIX_TOKENS + 1) if prefix is None else (prefix, 0)
    for grid in reversed(grids):
        extra = count - grid[0] * grid[1]
        if extra in allowed and _fits(grid, size):
            return Reading(grid, 2, tokens=True, prefix=extra, patches=True)
    for extra in (prefix or 0, 0):
        rows = round(((count - extra) * size[0] / size[1]) ** 0.5) if count > extra else 0
        grid = (rows, (count - extra) // rows if rows else 0)
        if rows and grid[0] * grid[1] == count - extra and _fits(grid, size):
            return Reading(grid, 2, tokens=True, prefix=extra)
    return None


def _misfit(grid: Grid, size: Grid) -> int:
    return abs(grid[0] * size[1] - grid[1] * size[0])


def _fits(grid: Grid, size: Grid) -> bool:
    """Return whether a grid has the shape of the image, to less than a cell, and no more cells than it has pixels."""
    return _misfit(grid, size) < max(size) and grid[0] <= size[0] and grid[1] <= size[1]
