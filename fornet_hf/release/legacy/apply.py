"""Source image + patch of the old release -> background, foreground and mask, exactly as published."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fornet_hf.errors import PatchFormatError, explain
from fornet_hf.format.raster import decode_rgb, fitted_size, resized
from fornet_hf.release.legacy.patch import LegacyPatch

# The longer side of an image whose patch has no difference, and so does not say the size.
_MAX_SIDE = 512


@dataclass(frozen=True, eq=False)
class LegacyImage:
    """What a patch makes of its source; the parts that the patch does not have are None.

    `raster`      uint8, H x W x 3: the source at the size that the patch is for, RGB
    `background`  uint8, H x W x 3: the image with its object infilled
    `foreground`  uint8, h x w x 3: the part of `raster` under the mask's box, surroundings included
    `mask`        bool, h x w: the object within `foreground`
    `offset`      (x, y) of `foreground` on `raster`, pixels
    """

    raster: NDArray[np.uint8]
    background: NDArray[np.uint8] | None
    foreground: NDArray[np.uint8] | None
    mask: NDArray[np.bool_] | None
    offset: tuple[int, int] | None


def apply(source: bytes, patch: LegacyPatch) -> LegacyImage:
    """Undoes the subtraction: `source` is the file of the original image, as ImageNet has it.

    Raises SourceError when it cannot be decoded, PatchFormatError when the mask leaves the image.
    """
    raster = _resized(decode_rgb(source), patch)
    return LegacyImage(
        raster=raster,
        background=_background(raster, patch),
        foreground=_foreground(raster, patch),
        mask=patch.mask,
        offset=patch.offset,
    )


def _resized(image: Image.Image, patch: LegacyPatch) -> NDArray[np.uint8]:
    if patch.difference is not None:
        height, width = patch.difference.shape[:2]
    else:
        width, height = fitted_size(*image.size, _MAX_SIDE)
    if image.size != (width, height):
        image = resized(image, (width, height))
    return np.asarray(image)


def _background(raster: NDArray[np.uint8], patch: LegacyPatch) -> NDArray[np.uint8] | None:
    if patch.difference is None:
        return None
    shown: NDArray[np.uint8] = np.clip(raster + patch.difference, 0, 255).astype(np.uint8)
    return shown


def _foreground(raster: NDArray[np.uint8], patch: LegacyPatch) -> NDArray[np.uint8] | None:
    if patch.offset is None or patch.mask is None:
        return None
    (x, y), (height, width) = patch.offset, patch.mask.shape
    if x + width > raster.shape[1] or y + height > raster.shape[0]:
        found = f"a mask of {width} x {height} at ({x}, {y})"
        allowed = f"inside the image of {raster.shape[1]} x {raster.shape[0]}"
        raise PatchFormatError(explain("the mask leaves the image", found=found, allowed=allowed))
    return raster[y : y + height, x : x + width]
