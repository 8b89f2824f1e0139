"""A prepared row from an image that a patch of the old format gave."""

from __future__ import annotations

import numpy as np
from PIL import Image

from fornet_hf.classes import wnid_index
from fornet_hf.errors import PatchFormatError, explain
from fornet_hf.format import jpeg
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.jpeg import Rectangle
from fornet_hf.format.mask_png import encode_mask
from fornet_hf.format.masks import Box, Mask
from fornet_hf.format.rows import Row
from fornet_hf.release.legacy.apply import LegacyImage


def legacy_row(image: LegacyImage, key: str, wnid: str, ratio: float | None) -> Row:
    """A row of the new kind: JPEGs encoded as in the new format, the foreground with its surroundings.

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
    """The MCUs around the mask and what the public pipeline infilled about it."""
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
