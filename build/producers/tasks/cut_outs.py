"""Cut-outs of older releases: the object's pixels in a file of their own, and the same file made again."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from fornet_hf.errors import PatchFormatError, explain
from fornet_hf.format.masks import Mask
from fornet_hf.format.raster import DECODE_ERRORS
from producers.backends import Raster

_QUALITIES = (80, 75, 90, 85, 95, 100)  # Pillow's default, which the public tool uses, first


@dataclass(frozen=True)
class CutOut:
    """A foreground that was cut out of an image.

    Attributes:
        colours: uint8, height x width x 3.
        alpha: uint8, height x width.
        file: its bytes, if they do not hold the very pixels of the image; else empty.
    """

    colours: Raster
    alpha: Raster
    file: bytes = b""

    @classmethod
    def decode(cls, data: bytes) -> CutOut:
        """Read a WEBP or PNG file.

        Raises:
            PatchFormatError: it cannot be decoded.
        """
        try:
            with Image.open(io.BytesIO(data), formats=("WEBP", "PNG")) as image:
                pixels = np.asarray(image.convert("RGBA"))
                lossy = image.format == "WEBP" and b"VP8 " in _chunks(data)
        except DECODE_ERRORS as error:
            raise PatchFormatError(explain("the foreground cannot be decoded", found=error)) from error
        return cls(np.ascontiguousarray(pixels[..., :3]), pixels[..., 3], data if lossy else b"")

    @property
    def mask(self) -> Mask:
        """Which of its pixels are the object."""
        return self.alpha > 127

    @property
    def qualities(self) -> tuple[int, ...]:
        """With which its file may have been compressed; the likeliest first."""
        return _QUALITIES if self.file else (100,)

    def is_made_of(self, colours: Raster, quality: int) -> bool:
        """Whether just this file comes of it when these colours are cut out and compressed."""
        if not self.file:
            return np.array_equal(colours[self.mask], self.colours[self.mask])
        buffer = io.BytesIO()
        Image.fromarray(np.dstack([colours, self.alpha])).save(buffer, "WEBP", quality=quality)
        return buffer.getvalue() == self.file


def _chunks(data: bytes) -> list[bytes]:
    """The names of a WEBP file's chunks: `VP8 ` holds lossy colours, `VP8L` lossless ones."""
    names, at = [], 12
    while at + 8 <= len(data):
        names.append(data[at : at + 4])
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return names
