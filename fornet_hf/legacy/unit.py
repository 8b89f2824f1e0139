"""Prepared rows from one archive of the old format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from fornet_hf import jpeg
from fornet_hf.classes import wnid_index
from fornet_hf.encoding import Encoding
from fornet_hf.errors import ForNetError, PatchFormatError, explain
from fornet_hf.files import Open, open_local
from fornet_hf.jpeg import Rectangle
from fornet_hf.legacy.apply import LegacyPicture, apply
from fornet_hf.legacy.archive import LegacyArchive
from fornet_hf.legacy.release import read_ratios
from fornet_hf.masks import Box, encode_mask
from fornet_hf.rows import Row
from fornet_hf.sources import FolderSource


@dataclass(frozen=True)
class LegacyUnit:
    """An archive of the old format and the folder of pictures that its patches apply to."""

    split: str
    archive: Path
    ratios: Path | None
    pictures: FolderSource

    def rows(self, open_file: Open = open_local) -> Iterator[Row]:
        """The prepared rows in the order of the archive.

        Raises:
            ForNetError: with the archive and member in front.
        """
        ratios = read_ratios(self.ratios) if self.ratios else {}
        with open_file(str(self.archive)) as file, LegacyArchive(file, name=str(self.archive)) as archive:
            for wnid, key in archive:
                patch = archive.read((wnid, key))
                source = self.pictures.read(self.split, key, wnid)
                try:
                    row = legacy_row(apply(source.data, patch), key, wnid, ratios.get(key))
                except ForNetError as error:
                    raise error.at(f"{self.archive} ({wnid}/{key})") from error
                yield row


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


def _placed(picture: LegacyPicture, box: Box) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    result = np.zeros((box[3] - box[1], box[2] - box[0]), np.bool_)
    if picture.mask is not None and picture.offset is not None:
        x, y = picture.offset[0] - box[0], picture.offset[1] - box[1]
        result[y : y + picture.mask.shape[0], x : x + picture.mask.shape[1]] = picture.mask
    return result
