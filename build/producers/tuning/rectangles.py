"""Random rectangles of background: the parts of an image that teach what "a background" means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fornet_hf.format.masks import Mask

PUBLISHED = 64
"""Cells of a side of the grid that the limits were published for."""


@dataclass(frozen=True, kw_only=True)
class Rectangles:
    """Limits of rectangles, in cells of a latent image.

    Attributes:
        least_side: of both sides.
        least_area: of the rectangle.
        most_side: that one of the sides has at most.
        most_area: of the rectangle.
        background: the least share of background in it, 0 to 1.
        tries: rectangles that are drawn until one fits.
    """

    least_side: int = 11
    least_area: int = 256
    most_side: int = 32
    most_area: int = 1024
    background: float = 2 / 3
    tries: int = 100

    @classmethod
    def of(cls, grid: int) -> Rectangles:
        """Return the published limits, scaled to a grid of so many cells a side."""
        scale, whole = grid / PUBLISHED, cls()
        return cls(
            least_side=max(1, round(whole.least_side * scale)),
            least_area=max(1, round(whole.least_area * scale**2)),
            most_side=max(1, round(whole.most_side * scale)),
            most_area=max(1, round(whole.most_area * scale**2)),
        )

    def draw(self, objects: Mask, rng: np.random.Generator) -> Mask:
        """Return the background's cells in a random rectangle; where none fits, all of the background.

        A rectangle spans two random cells of the background, which are its corners.

        Args:
            objects: which cells are of an object, height x width.
            rng: to draw with.
        """
        background = ~objects
        cells = np.argwhere(background)
        if not len(cells):
            return background
        corners = cells[rng.integers(len(cells), size=(self.tries, 2))]
        low, high = corners.min(1), corners.max(1) + 1
        fitting = np.flatnonzero(self._fit(background, low, high))
        if not len(fitting):
            return background
        (top, left), (bottom, right) = low[fitting[0]], high[fitting[0]]
        result = np.zeros_like(background)
        result[top:bottom, left:right] = background[top:bottom, left:right]
        return result

    def _fit(self, background: Mask, low: np.ndarray, high: np.ndarray) -> Mask:
        """Return which rectangles (n x 2: rows, columns; `high` is beyond them) are within the limits."""
        sides = high - low
        area = sides.prod(1)
        counts = np.pad(background.cumsum(0).cumsum(1), ((1, 0), (1, 0)))  # of background above and left of a corner
        (top, left), (bottom, right) = low.T, high.T
        inside = counts[bottom, right] - counts[top, right] - counts[bottom, left] + counts[top, left]
        fits: Mask = (sides.min(1) >= self.least_side) & (sides.min(1) <= self.most_side)
        fits &= (area >= self.least_area) & (area <= self.most_area)
        fits &= inside >= self.background * area
        return fits
