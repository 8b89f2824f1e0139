"""The one geometry of all that diffusion does here: the image at the top left of a square, the rest of it -1.

Rasters, pixels of the canvas and cells of a grid over it (latent values, values of an attention map) meet in these
functions only. The image fills cells in part where its shorter side is no multiple of theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.format.masks import Mask
from producers.diffusion.shapes import LATENT
from producers.scene import Raster

Value = TypeVar("Value", bound=np.generic)

_MULTIPLE = 8 * LATENT  # U-Nets halve the latent image three times


@dataclass(frozen=True)
class Canvas:
    """The place of an image on a square.

    Attributes:
        height: of the raster, pixels.
        width: likewise.
        side: of the square, pixels.
        scaled: height and width of the image on it.
    """

    height: int
    width: int
    side: int
    scaled: tuple[int, int]

    @classmethod
    def of(cls, height: int, width: int, side: int = 512, *, enlarge: bool = True) -> Canvas:
        """Return the canvas on which the image's longer side fills the square's.

        Args:
            height: of the raster.
            width: likewise.
            side: of the square, a multiple of 64.
            enlarge: whether images smaller than that are enlarged; if not, they keep their size.

        Raises:
            ConfigurationError: U-Nets cannot halve such a side.
        """
        if side < _MULTIPLE or side % _MULTIPLE:
            raise ConfigurationError(explain("side of the canvas", found=side, allowed=f"a multiple of {_MULTIPLE}"))
        longer = max(height, width)
        if longer <= side and not enlarge:
            return cls(height, width, side, (height, width))
        high, wide = (max(1, (2 * value * side + longer) // (2 * longer)) for value in (height, width))
        return cls(height, width, side, (high, wide))

    def pixels(self, raster: Raster, device: str = "cpu") -> torch.Tensor:
        """Return the canvas with the image on it: float32, 3 x side x side, -1 to 1."""
        image = torch.tensor(raster, device=device).permute(2, 0, 1)[None].float() / 127.5 - 1
        if self.scaled != (self.height, self.width):
            image = functional.interpolate(image, self.scaled, mode="bicubic", antialias=True).clamp(-1, 1)
        high, wide = self.scaled
        return functional.pad(image[0], (0, self.side - wide, 0, self.side - high), value=-1)

    def raster(self, pixels: torch.Tensor) -> Raster:
        """Return the image on a canvas (3 x side x side, -1 to 1) in the raster's size: uint8."""
        image = pixels[None, :, : self.scaled[0], : self.scaled[1]].float()
        if self.scaled != (self.height, self.width):
            image = functional.interpolate(image, (self.height, self.width), mode="bicubic", antialias=True)
        levels = ((image[0] + 1) * 127.5).round().clamp(0, 255)
        result: Raster = levels.permute(1, 2, 0).to(torch.uint8).cpu().numpy()
        return result

    def cells(self, grid: int) -> tuple[int, int]:
        """Return how many rows and columns of a grid over the canvas have some of the image in them."""
        high, wide = (-(-value * grid // self.side) for value in self.scaled)
        return high, wide

    def spread(self, values: npt.NDArray[Value], grid: int) -> npt.NDArray[Value]:
        """Return for each pixel of the raster the value of the cell in which its centre lies: height x width.

        Args:
            values: of the cells of a grid x grid over the canvas; those without image may be left out.
            grid: cells in a side of the canvas.
        """
        rows, columns = (
            (2 * np.arange(size) + 1) * scaled * grid // (2 * size * self.side)
            for size, scaled in zip((self.height, self.width), self.scaled, strict=True)
        )
        return values[np.ix_(rows, columns)]

    def fitted(self, values: npt.NDArray[np.float32], grid: int) -> npt.NDArray[np.float32]:
        """Return those of a grid over the canvas which are of the image, so that they stretch over all of the raster.

        They are as many as the cells with image in them, and linear between the centres of cells: where the image
        fills its last cells in part, the values move by less than a cell.
        """
        counts = self.cells(grid)
        rows, columns = (
            self._weights(scaled, count, grid) for scaled, count in zip(self.scaled, counts, strict=True)
        )
        result: npt.NDArray[np.float32] = rows @ values[: counts[0], : counts[1]] @ columns.T
        return result

    def _weights(self, scaled: int, count: int, grid: int) -> npt.NDArray[np.float32]:
        """Return the share of each cell in each of as many places, evenly spaced over the image: places x cells."""
        places = ((np.arange(count, dtype=np.float32) + 0.5) * (scaled * grid / (count * self.side)) - 0.5).clip(0)
        return (1 - np.abs(places[:, None] - np.arange(count, dtype=np.float32))).clip(0)

    def touched(self, mask: Mask, grid: int) -> Mask:
        """Return which cells of a grid over the canvas have some of a mask of the raster in them: grid x grid."""
        rows, columns = (self._overlaps(*sizes, grid) for sizes in zip(mask.shape, self.scaled, strict=True))
        result: Mask = rows @ mask.astype(np.float32) @ columns.T > 0
        return result

    def _overlaps(self, size: int, scaled: int, grid: int) -> npt.NDArray[np.float32]:
        """Return 1 where a cell and a pixel overlap along one side of the raster, else 0: grid x size."""
        cells, pixels = np.arange(grid)[:, None], np.arange(size)
        cell, pixel = size * self.side, scaled * grid  # widths in a common unit
        return ((cells + 1) * cell > pixels * pixel).astype(np.float32) * (cells * cell < (pixels + 1) * pixel)
