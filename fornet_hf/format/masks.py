"""Masks: the pixels of a raster that are the object, as bool arrays of height x width and in files.

In files they are 1-bit PNG, its rows unfiltered. docs/patch_format.md, sections 3.2 to 3.4, is the specification.
"""

from __future__ import annotations

import io
import zlib

import numpy as np
import numpy.typing as npt
from PIL import Image

from fornet_hf.errors import EmptyMaskError, PatchFormatError, explain
from fornet_hf.format.raster import DECODE_ERRORS

Mask = npt.NDArray[np.bool_]
Levels = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels; x1 and y1 excluded
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def bounding_box(mask: Mask) -> Box:
    """Return the smallest box around all true pixels.

    Raises:
        EmptyMaskError: there is none.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        raise EmptyMaskError("the mask selects no pixel, so there is no foreground")
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def dilate(mask: Mask, radius: int) -> Mask:
    """Return True within `radius` pixels (in x and in y: a square) of a true pixel."""
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
    """Return a bool array of height x width as 1-bit PNG.

    Its rows are unfiltered, as PNG's specification ("Filter selection") advises for less than 8 bits: a quarter
    smaller than with the filters that Pillow chooses, and read in a third of the time.
    """
    height, width = mask.shape
    rows = np.zeros((height, _stride(width)), np.uint8)  # each begins with its filter: 0, none
    rows[:, 1:] = np.packbits(mask, axis=1)
    # Level 9 takes fifteen times as long for a tenth less.
    chunks = (b"IHDR", _header(width, height)), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b"")
    return _SIGNATURE + b"".join(
        len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")
        for kind, content in chunks
    )


def encode_levels(levels: Levels) -> bytes:
    """Return a map of height x width, 0 to 255, as grey PNG; `open_mask` reads it."""
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "PNG")
    return buffer.getvalue()


def decode_mask(data: bytes, size: tuple[int, int]) -> Mask:
    """Return a 1-bit PNG of exactly `size` (width, height) as bool array of height x width.

    The size is read from the header and compared before any pixel is decoded.

    Raises:
        PatchFormatError: not a 1-bit PNG, not of that size, or damaged.
    """
    chunks = _chunks(data)  # Pillow minds neither checksums nor what comes after the pixels
    if chunks is None:
        raise PatchFormatError(explain("the mask's PNG is damaged, cut off or followed by other bytes"))
    kinds = [kind for kind, _ in chunks]
    if kinds != [b"IHDR", *[b"IDAT"] * (len(kinds) - 2), b"IEND"]:  # others may change what a reader sees
        what = "the mask's PNG has other chunks"
        raise PatchFormatError(explain(what, found=kinds[:9], allowed="IHDR, one or more IDAT, IEND"))
    header = chunks[0][1]
    if header != _header(*size):
        found = (int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")), list(header[8:])
        allowed = size, "1 bit, gray, not interlaced: [1, 0, 0, 0, 0]"
        raise PatchFormatError(explain("the mask is not as declared", found=found, allowed=allowed))
    rows = _rows(b"".join(content for _, content in chunks[1:-1]), size)
    if not rows[:, 0].any():
        return _unpacked(rows, size)
    mask: Mask = open_mask(data)  # type: ignore[assignment]  # it is a 1-bit PNG
    return mask


def open_mask(data: bytes) -> Mask | Levels:
    """Return the mask in a file that was checked before.

    Rows as `encode_mask` writes them are unpacked here; Pillow reads all others.

    Returns: bool of height x width, or uint8 (0 to 255) where the file is no 1-bit PNG.

    Raises:
        PatchFormatError: it is damaged after all.
    """
    found = filtered_rows(data)
    if found is not None and not found[0][:, 0].any():
        rows, width = found
        return _unpacked(rows, (width, len(rows)))
    try:
        return levels_of(Image.open(io.BytesIO(data)))
    except DECODE_ERRORS as error:
        raise _undecodable(error) from error


def filtered_rows(data: bytes) -> tuple[Levels, int] | None:
    """Return the rows and the width of a 1-bit PNG of one chunk of pixels, as `encode_mask` writes it; else None.

    Returns: rows as in the file, height x (1 + ceil(width / 8)) bytes: first the row's filter, 0 for none.

    Raises:
        PatchFormatError: it is damaged.
    """
    width, height, length = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20, 33))
    kinds = data[12:16] + data[37:41] + data[length + 49 : length + 53]
    if data[16:29] != _header(width, height) or kinds != b"IHDRIDATIEND":
        return None
    return _rows(data[41 : 41 + length], (width, height)), width


def _undecodable(error: Exception) -> PatchFormatError:
    found = f"{type(error).__name__}: {error}"
    return PatchFormatError(explain("the mask cannot be decoded", found=found, allowed="1-bit PNG"))


def levels_of(image: Image.Image) -> Mask | Levels:
    """Return the pixels of a mask that is an image, as `open_mask` gives them."""
    if image.mode == "1":
        mask: Mask = np.asarray(image).view(np.uint8) != 0  # Pillow's bools have bytes of 0 and 255
        return mask
    return np.asarray(image if image.mode == "L" else image.convert("L"))


def _header(width: int, height: int) -> bytes:
    """Return the header of a PNG: 1 bit, gray, the only compression and filtering there are, not interlaced."""
    return width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\1\0\0\0\0"


def _stride(width: int) -> int:
    """Return the bytes of a row: its filter, and 8 pixels a byte."""
    return 1 + -(-width // 8)


def _rows(compressed: bytes, size: tuple[int, int]) -> Levels:
    """Return the bytes of each row: its filter, then its pixels.

    Raises:
        PatchFormatError: damaged, or of another length.
    """
    width, height = size
    stride = _stride(width)
    try:
        codes = zlib.decompressobj().decompress(compressed, stride * height + 1)
    except zlib.error as error:
        raise _undecodable(error) from error
    if len(codes) != stride * height:
        what = "the mask's pixels do not fit its size"
        raise PatchFormatError(explain(what, found=f"{len(codes)} bytes", allowed=f"{stride * height} for {size}"))
    return np.frombuffer(codes, np.uint8).reshape(height, stride)


def _unpacked(rows: Levels, size: tuple[int, int]) -> Mask:
    """Return the pixels of unfiltered rows."""
    return np.unpackbits(rows[:, 1:], axis=1, count=size[0]).view(np.bool_)


def _chunks(png: bytes) -> list[tuple[bytes, bytes]] | None:
    """Return kind and content of all chunks; None where a checksum is wrong, or bytes are left (PNG, 5.3)."""
    chunks, at = [], len(_SIGNATURE)
    while at + 12 <= len(png):
        end = at + 12 + int.from_bytes(png[at : at + 4], "big")
        if zlib.crc32(png[at + 4 : end - 4]) != int.from_bytes(png[end - 4 : end], "big"):
            return None
        chunks.append((png[at + 4 : at + 8], png[at + 8 : end - 4]))
        at = end
    return chunks if chunks and at == len(png) and png.startswith(_SIGNATURE) else None
