"""Restart-coded JPEG: every MCU (a block of 16 x 16 pixels) can be cut out without decoding.

A restart marker after every MCU makes the entropy-coded data of each block independent of all others. Two
images that agree on a block agree on its bytes (which makes patches small), and the runs of bytes of any
rectangle of blocks, with the markers renumbered and the size in the header changed, are again a JPEG (which
makes partial decoding possible). Markers: ITU-T T.81, B.1.1.3 and E.1.4.
"""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from PIL import Image

from fornet_hf.errors import PatchFormatError, explain

QUALITY = 90
MCU = 16  # pixels on a side, for 4:2:0
_SIZE_AT = 163  # of height and width, 2 bytes each, in the constant header
_RST0, _EOI = 0xD0, 0xD9


def encode(raster: Image.Image) -> bytes:
    """Encode an RGB raster as baseline JPEG: quality 90, 4:2:0, standard Huffman tables, restart-coded."""
    buffer = io.BytesIO()
    raster.save(
        buffer,
        "JPEG",
        quality=QUALITY,
        subsampling=2,
        optimize=False,
        progressive=False,
        restart_marker_blocks=1,
    )
    return buffer.getvalue()


@functools.cache
def header() -> bytes:
    """Return all bytes before the entropy-coded data (629); they differ between images in the size alone."""
    whole = encode(Image.new("RGB", (1, 1)))
    scan = whole.index(b"\xff\xda")
    return whole[: scan + 2 + int.from_bytes(whole[scan + 2 : scan + 4], "big")]


@dataclass(frozen=True)
class Rectangle:
    """A rectangle of MCUs: columns `left` to `right` and rows `top` to `bottom`, the ends excluded."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def around(cls, box: tuple[int, int, int, int], size: tuple[int, int], margin: int = 0) -> Rectangle:
        """Return the smallest rectangle that covers the pixels `box` (x0, y0, x1, y1) and `margin` MCUs more."""
        columns, rows = -(-size[0] // MCU), -(-size[1] // MCU)
        return cls(
            max(0, box[0] // MCU - margin),
            max(0, box[1] // MCU - margin),
            min(columns, -(-box[2] // MCU) + margin),
            min(rows, -(-box[3] // MCU) + margin),
        )

    def pixels(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Return the box (x0, y0, x1, y1) in pixels on a raster of that size (width, height)."""
        return (
            self.left * MCU,
            self.top * MCU,
            min(self.right * MCU, size[0]),
            min(self.bottom * MCU, size[1]),
        )


@functools.cache
def _around_the_size() -> tuple[bytes, bytes]:
    return header()[:_SIZE_AT], header()[_SIZE_AT + 4 :]


def size_of(data: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels if `data` starts like a JPEG of `encode`, else None."""
    before, after = _around_the_size()
    at = _SIZE_AT
    if not (data.startswith(before) and data.startswith(after, at + 4)):
        return None
    return int.from_bytes(data[at + 2 : at + 4], "big"), int.from_bytes(data[at : at + 2], "big")


def check(data: bytes, size: tuple[int, int]) -> None:
    """Let nothing pass but a restart-coded JPEG of `encode` with that width and height.

    Raises:
        PatchFormatError: it is none: other settings, another size, or markers that are not where they must be.
    """
    found = _Mcus.of(data).size
    if found != size:
        raise PatchFormatError(explain("the JPEG has another size", found=found, allowed=size))


def cut(data: bytes, area: Rectangle) -> bytes:
    """Return the JPEG of a rectangle of MCUs of a restart-coded JPEG, without decoding it.

    Its pixels are those of the whole image, except in the outermost row and column of pixels on a side where
    more image follows: there the decoder's chroma upsampling sees other neighbours. (libjpeg does not smooth
    the chroma of an image of 4 columns or fewer; a cut that narrow differs in all its pixels.)

    Raises:
        PatchFormatError: `data` is no restart-coded JPEG of `encode`, or the rectangle does not lie in it.
    """
    mcus = _Mcus.of(data)
    mcus.check(area)
    x0, y0, x1, y1 = area.pixels(mcus.size)
    lengths = mcus.lengths[area.top : area.bottom, area.left : area.right]
    return _write((x1 - x0, y1 - y0), mcus.runs(area), lengths)


def splice(data: bytes, inset: bytes, area: Rectangle) -> bytes:
    """Return `data` with the MCUs of `area` replaced by those of `inset`, without decoding either.

    So `splice(background, cut(original, area), area)` is the original, byte for byte, where the background
    differs from it in `area` alone.

    Raises:
        PatchFormatError: one of both is no restart-coded JPEG of `encode`, or `inset` is not of the size of `area`.
    """
    mcus, new = _Mcus.of(data), _Mcus.of(inset)
    mcus.check(area)
    x0, y0, x1, y1 = area.pixels(mcus.size)
    if new.size != (x1 - x0, y1 - y0):
        raise PatchFormatError(explain("the inset does not fit", found=new.size, allowed=(x1 - x0, y1 - y0)))
    lengths = mcus.lengths.copy()
    lengths[area.top : area.bottom, area.left : area.right] = new.lengths
    rows, columns = lengths.shape
    left, right = replace(area, left=0, right=area.left), replace(area, left=area.right, right=columns)
    between = zip(mcus.runs(left), new.runs(Rectangle(0, 0, *new.lengths.shape[::-1])), mcus.runs(right), strict=True)
    above, below = Rectangle(0, 0, columns, area.top), Rectangle(0, area.bottom, columns, rows)
    runs = [*mcus.runs(above), *(run for row in between for run in row), *mcus.runs(below)]
    return _write(mcus.size, runs, lengths)


@dataclass(frozen=True)
class _Mcus:
    """Beginnings and ends in `codes` of each MCU, its marker included. Arrays of rows x columns."""

    codes: npt.NDArray[np.uint8]
    size: tuple[int, int]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]

    @classmethod
    def of(cls, data: bytes) -> _Mcus:
        size = size_of(data)
        if size is None or 0 in size:
            raise PatchFormatError("this JPEG is not restart-coded with the settings of the format")
        codes, start = np.frombuffer(data, np.uint8), len(header())
        columns, rows = -(-size[0] // MCU), -(-size[1] // MCU)
        markers = (codes[start:-1] == 0xFF) & (codes[start + 1 :] != 0)
        ends = markers.nonzero()[0] + (start + 2)
        if len(ends) != columns * rows:
            found = f"{len(ends)} markers"
            raise PatchFormatError(explain("this JPEG's markers do not fit", found=found, allowed=columns * rows))
        found_markers = codes[ends - 1]
        in_turn = ends[-1] == len(codes) and found_markers[-1] == _EOI
        if not (in_turn and np.array_equal(found_markers[:-1], _restarts(len(ends) - 1))):
            allowed = "RST0 to RST7 in turn, and EOI as the last bytes"
            raise PatchFormatError(explain("this JPEG's markers are out of order", allowed=allowed))
        starts = np.concatenate([[start], ends[:-1]])
        return cls(codes, size, starts.reshape(rows, columns), ends.reshape(rows, columns))

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        return self.ends - self.starts

    def check(self, area: Rectangle) -> None:
        rows, columns = self.ends.shape
        if not (0 <= area.left < area.right <= columns and 0 <= area.top < area.bottom <= rows):
            allowed = f"{columns} x {rows} MCUs"
            raise PatchFormatError(explain("the rectangle lies outside of the JPEG", found=area, allowed=allowed))

    def runs(self, area: Rectangle) -> list[npt.NDArray[np.uint8]]:
        """Return the bytes of each row of the rectangle, from its first MCU to the marker of its last."""
        if area.left == area.right:
            return [self.codes[:0]] * (area.bottom - area.top)
        starts = self.starts[area.top : area.bottom, area.left].tolist()
        ends = self.ends[area.top : area.bottom, area.right - 1].tolist()
        return [self.codes[start:end] for start, end in zip(starts, ends, strict=True)]


@functools.cache
def _all_restarts() -> npt.NDArray[np.uint8]:
    """Return the second bytes of more restart markers than the largest raster has."""
    return np.tile(np.arange(_RST0, _RST0 + 8, dtype=np.uint8), 2**13)


def _restarts(count: int) -> npt.NDArray[np.uint8]:
    """Return the second bytes of that many restart markers in turn."""
    cycle = _all_restarts()
    return cycle[:count] if count <= len(cycle) else np.resize(cycle, count)


def _write(size: tuple[int, int], runs: list[npt.NDArray[np.uint8]], lengths: npt.NDArray[np.int64]) -> bytes:
    """Return a JPEG of these runs of MCUs, with the markers renumbered and EOI at the end."""
    head = bytearray(header())
    head[_SIZE_AT : _SIZE_AT + 4] = size[1].to_bytes(2, "big") + size[0].to_bytes(2, "big")
    body = np.concatenate(runs)
    body[np.cumsum(lengths) - 1] = _restarts(lengths.size)
    body[-1] = _EOI
    return bytes(head) + body.tobytes()
