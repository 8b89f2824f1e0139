"""The images that one example is made of, and digests of those that the user's transforms made."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple

from PIL import Image

from fornet_hf.errors import ConfigurationError, PatchFormatError, explain
from fornet_hf.format.masks import Box
from fornet_hf.format.rows import Row
from fornet_hf.recombination.draw.composition import Composition
from fornet_hf.recombination.pixels.cutout import Cutout
from fornet_hf.recombination.pixels.decoding import ImageLike, decoded, encoded, size_of


class Parts(NamedTuple):
    """The images that one example is made of: bytes, or decoded images."""

    cutout: Cutout | None
    foreground: ImageLike | None
    box: Box | None
    background: ImageLike | None

    @classmethod
    def of(cls, row: Row | Mapping[str, Any]) -> Parts:
        """Take those of a row: its foreground, and its own background.

        Raises:
            ConfigurationError: mask, box or ratio do not fit the images.
        """
        columns = asdict(row) if isinstance(row, Row) else row
        foreground, mask, background = (encoded(columns[name]) for name in ("foreground", "mask", "background"))
        ratio, box, cutout = columns["foreground_ratio"] or 0.0, columns["box"], None
        try:
            if not 0 <= ratio <= 1:  # NaN is not, either
                raise ConfigurationError(explain("foreground_ratio is no share", found=ratio, allowed="0 to 1"))
            if foreground is not None and mask is not None:
                cutout = Cutout.of_bytes(foreground, mask, ratio)
            if box is not None:
                _check_box(box, foreground, background)
                box = (box[0], box[1], box[2], box[3])
        except (ConfigurationError, PatchFormatError) as error:
            raise error.at(columns.get("key", "a row")) from error
        return cls(cutout, foreground, box, background)


def _check_box(box: Sequence[int], foreground: ImageLike | None, background: ImageLike | None) -> None:
    wanted = None if foreground is None else size_of(foreground)
    room = None if background is None else size_of(background)
    x0, y0, x1, y1 = box if len(box) == 4 else (-1, -1, 0, 0)
    fits = 0 <= x0 < x1 and 0 <= y0 < y1 and wanted in (None, (x1 - x0, y1 - y0))
    if not fits or (room is not None and (x1 > room[0] or y1 > room[1])):
        found = f"the box {box}, a foreground of {wanted} and a background of {room}"
        raise ConfigurationError(explain("the box does not fit foreground and background", found=found))


def with_digests(composition: Composition, parts: Parts, *, foreground: bool, background: bool) -> Composition:
    """Return the composition with the digests of the parts that the user's transforms made."""
    cutout, canvas = parts.cutout, parts.background
    return replace(
        composition,
        foreground_digest=_digest(cutout.rgba()) if foreground and cutout and composition.size else None,
        background_digest=_digest(decoded(canvas)) if background and canvas is not None else None,
    )


def _digest(image: Image.Image) -> str:
    return hashlib.blake2b(f"{image.mode} {image.size}".encode() + image.tobytes(), digest_size=16).hexdigest()
