"""Masks: which pixels of a raster are the object.

In memory a mask is a bool array of height x width; in files a 1-bit PNG.
"""

from __future__ import annotations

import io
import zlib

import numpy as np
import numpy.typing as npt
from PIL import Image

from fornet_hf.errors import EmptyMaskError, PatchFormatError, explain
from fornet_hf.raster import DECODE_ERRORS

Mask = npt.NDArray[np.bool_]
Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels; x1 and y1 excluded


def bounding_box(mask: Mask) -> Box:
    """The smallest box around all true pixels.

    Raises:
        EmptyMaskError: there is none.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        raise EmptyMaskError("the mask selects no pixel, so there is no foreground")
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def dilate(mask: Mask, radius: int) -> Mask:
    """True within `radius` pixels (in x and in y: a square) of a true pixel."""
    wide = _grow_rows(mask, radius)
    return np.ascontiguousarray(_grow_rows(np.ascontiguousarray(wide.T), radius).T)


def _grow_rows(mask: Mask, radius: int) -> Mask:
    width = mask.shape[1]
    sums = np.zeros((mask.shape[0], width + 1), np.int32)
    np.cumsum(mask, axis=1, out=sums[:, 1:])
    column = np.arange(width)
    after = np.minimum(column + radius + 1, width)
    before = np.maximum(column - radius, 0)
    return np.asarray(sums[:, after] > sums[:, before])


def encode_mask(mask: Mask) -> bytes:
    """A bool array of height x width as 1-bit PNG."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(mask)).save(
        buffer, "PNG", compress_level=6
    )  # 9 takes five times as long for a seventh less
    return buffer.getvalue()


def decode_mask(data: bytes, size: tuple[int, int]) -> Mask:
    """A 1-bit PNG of exactly `size` (width, height) as bool array of height x width.

    The size is read from the header and compared before any pixel is decoded.

    Raises:
        PatchFormatError: not a 1-bit PNG, not of that size, or damaged.
    """
    if not _whole(data):  # Pillow minds neither checksums nor what comes after the pixels
        raise PatchFormatError(explain("the mask's PNG is damaged, cut off or followed by other bytes"))
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
            found = picture.size, picture.mode
            pixels = np.array(picture, dtype=np.bool_) if found == (size, "1") else None
    except DECODE_ERRORS as error:
        raise PatchFormatError(
            explain("the mask cannot be decoded", found=f"{type(error).__name__}: {error}", allowed="1-bit PNG")
        ) from error
    if pixels is None:
        raise PatchFormatError(explain("the mask is not as declared", found=found, allowed=(size, "1")))
    return pixels


_START = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_KIND = b"\1\0\0\0\0"  # 1 bit, gray, the only compression and filtering there are, not interlaced


def open_mask(data: bytes) -> Image.Image:
    """The picture in a mask's file, for a file that was checked before.

    What `encode_mask` writes has one chunk of pixels right after the header. Pillow's zip decoder alone reads it in
    half the time of `Image.open`, which takes care of every other picture.
    """
    length = int.from_bytes(data[33:37], "big")
    chunks = data[37:41] + data[49 + length : 53 + length]  # the types of the second and the third
    if data[:16] != _START or data[24:29] != _KIND or chunks != b"IDATIEND":
        return Image.open(io.BytesIO(data))
    size = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    return Image.frombytes("1", size, data[41 : 41 + length], "zip", "1")


def _whole(png: bytes) -> bool:
    """Whether the chunks of a PNG have their checksums and the last is its end (PNG specification, 5.3)."""
    start = 8  # after the signature
    while start + 12 <= len(png):
        end = start + 12 + int.from_bytes(png[start : start + 4], "big")
        if zlib.crc32(png[start + 4 : end - 4]) != int.from_bytes(png[end - 4 : end], "big"):
            return False
        if png[start + 4 : start + 8] == b"IEND":
            return end == len(png)
        start = end
    return False
