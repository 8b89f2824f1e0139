"""A prepared row from a picture that a patch of the old format gave."""

from __future__ import annotations

import numpy as np
from PIL import Image

from fornet_hf import jpeg
from fornet_hf.classes import wnid_index
from fornet_hf.encoding import Encoding
from fornet_hf.errors import PatchFormatError, explain
from fornet_hf.jpeg import Rectangle
from fornet_hf.legacy.apply import LegacyPicture
from fornet_hf.mask_png import encode_mask
from fornet_hf.masks import Box, Mask
from fornet_hf.rows import Row


def legacy_row(picture: LegacyPicture, key: str, wnid: str, ratio: float | None) -> Row:
    """A row of the new kind: JPEGs encoded as in the new format, the foreground with its surroundings.

    Args:
        picture: what the old patch gives.
        key: name of the picture without ending.
        wnid: of an ImageNet class.
        ratio: area of the mask / area of the raster, from the ratio file; None: measured here.
    """
    label = wnid_index().get(wnid)
    if label is None:
        raise PatchFormatError(explain("the class is not in ImageNet-1k", found=wnid, allowed="a WNID"))
    raster = Image.fromarray(picture.raster)
    foreground = mask = box = None
    measured = 0.0
    if picture.mask is not None and picture.offset is not None:
        box = _surroundings(picture.offset, picture.mask.shape, raster.size)
        foreground = jpeg.cut(jpeg.encode(raster), Rectangle.around(box, raster.size))
        mask = encode_mask(_placed(picture, box))
        measured = float(picture.mask.sum()) / (raster.width * raster.height)
    return Row(
        key=key,
        label=label,
        foreground=foreground,
        mask=mask,
        background=None if picture.background is None else jpeg.encode(Image.fromarray(picture.background)),
        box=box,
        foreground_ratio=measured if ratio is None else ratio,
    )


def _surroundings(offset: tuple[int, int], shape: tuple[int, ...], size: tuple[int, int]) -> Box:
    """The MCUs around the mask and what the public pipeline infilled about it."""
    margin = Encoding().dilation
    x, y = offset
    grown = (max(0, x - margin), max(0, y - margin), x + shape[1] + margin, y + shape[0] + margin)
    return Rectangle.around(grown, size).pixels(size)


def _placed(picture: LegacyPicture, box: Box) -> Mask:
    result = np.zeros((box[3] - box[1], box[2] - box[0]), np.bool_)
    if picture.mask is not None and picture.offset is not None:
        x, y = picture.offset[0] - box[0], picture.offset[1] - box[1]
        result[y : y + picture.mask.shape[0], x : x + picture.mask.shape[1]] = picture.mask
    return result
