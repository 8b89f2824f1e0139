"""Source image + patch of the old release -> background, foreground and mask, exactly as published; and a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fornet_hf.classes import wnid_index
from fornet_hf.errors import PatchFormatError, explain
from fornet_hf.format import jpeg
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.jpeg import Rectangle
from fornet_hf.format.masks import Box, Mask, encode_mask
from fornet_hf.format.raster import decode_rgb, fitted_size, resized
from fornet_hf.format.rows import Row
from fornet_hf.release.legacy.patch import LegacyPatch

# The longer side of an image whose patch has no difference, and so does not say the size.
_MAX_SIDE = 512


@dataclass(frozen=True, eq=False)
class LegacyImage:
    """An image that a patch made of its source; the parts that the patch does not have are None.

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
    """Undo the subtraction: `source` is the file of the original image, as ImageNet has it.

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


def legacy_row(image: LegacyImage, key: str, wnid: str, ratio: float | None) -> Row:
    """Return a row of the new kind: JPEGs encoded as in the new format, the foreground with its surroundings.

    Args:
        image: what the old patch gives.
        key: name of the image without ending.
        wnid: of an ImageNet class.
        ratio: area of the mask / area of the raster, from the ratio file; None: measured here.
    """
    label = wnid_index().get(wnid)
    if label is None:
        raise PatchFormatError(explain("the class is not in ImageNet-1k", found=wnid, allowed="a WNID"))
    raster = Image.fromarray(image.raster)
    foreground = mask = box = None
    measured = 0.0
    if image.mask is not None and image.offset is not None:
        box = _surroundings(image.offset, image.mask.shape, raster.size)
        foreground = jpeg.cut(jpeg.encode(raster), Rectangle.around(box, raster.size))
        mask = encode_mask(_placed(image, box))
        measured = float(image.mask.sum()) / (raster.width * raster.height)
    return Row(
        key=key,
        label=label,
        foreground=foreground,
        mask=mask,
        background=None if image.background is None else jpeg.encode(Image.fromarray(image.background)),
        box=box,
        foreground_ratio=measured if ratio is None else ratio,
    )


def _surroundings(offset: tuple[int, int], shape: tuple[int, ...], size: tuple[int, int]) -> Box:
    """Return the MCUs around the mask and what the public pipeline infilled about it."""
    margin = Encoding().dilation
    x, y = offset
    grown = (max(0, x - margin), max(0, y - margin), x + shape[1] + margin, y + shape[0] + margin)
    return Rectangle.around(grown, size).pixels(size)


def _placed(image: LegacyImage, box: Box) -> Mask:
    result = np.zeros((box[3] - box[1], box[2] - box[0]), np.bool_)
    if image.mask is not None and image.offset is not None:
        x, y = image.offset[0] - box[0], image.offset[1] - box[1]
        result[y : y + image.mask.shape[0], x : x + image.mask.shape[1]] = image.mask
    return result
