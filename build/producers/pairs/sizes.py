"""An image and its mask at the size at which they are wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image

from fornet_hf.errors import SourceError, explain
from fornet_hf.evaluation.masks.agreement import similar
from fornet_hf.format.masks import Mask
from fornet_hf.format.raster import decode_rgb
from producers.scene import Raster

SizeOf = Callable[[int, int], tuple[int, int]]
"""Makes width and height of an image's own."""


def shorter_side(side: int, most: int | None = None) -> SizeOf:
    """Return what scales an image so that its shorter side has so many pixels; a side beyond `most` is squeezed."""
    return partial(_scaled, side, min, most)


def longer_side(side: int) -> SizeOf:
    """Return what scales an image so that its longer side has so many pixels."""
    return partial(_scaled, side, max, None)


def _scaled(side: int, which: Callable[..., int], most: int | None, width: int, height: int) -> tuple[int, int]:
    scale, most = side / which(width, height), most or side * max(width, height)
    return min(max(1, round(width * scale)), most), min(max(1, round(height * scale)), most)


def own_size(width: int, height: int) -> tuple[int, int]:
    """Return the size as it is."""
    return width, height


@dataclass(frozen=True)
class Pair:
    """An image and the mask of its object, of one frame but not of one size.

    Attributes:
        key: of the image.
        data: bytes of its file.
        mask: bool, height x width, of the size in which it was found.
    """

    key: str
    data: bytes
    mask: Mask

    def at(self, size_of: SizeOf = own_size) -> tuple[Raster, Mask]:
        """Return both at a size: uint8 of height x width x 3, and bool of height x width.

        Raises:
            SourceError: the image cannot be decoded, or its shape is not the mask's.
        """
        shapes = []

        def noting(width: int, height: int) -> tuple[int, int]:
            shapes.append((height, width))
            return size_of(width, height)

        try:
            raster = np.asarray(decode_rgb(self.data, noting))
        except SourceError as error:
            raise error.at(self.key) from error
        if not similar(self.mask.shape, shapes[0]):
            what = f"{self.key}: the mask has not the shape of its image"
            raise SourceError(explain(what, found=self.mask.shape, allowed=shapes[0]))
        return raster, resized_mask(self.mask, (raster.shape[1], raster.shape[0]))


def resized_mask(mask: Mask, size: tuple[int, int]) -> Mask:
    """Return a mask at another width and height: the pixels of which at least half are of the object."""
    if mask.shape == (size[1], size[0]):
        return mask
    levels = Image.fromarray(mask.view(np.uint8) * 255).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(levels) >= 128
