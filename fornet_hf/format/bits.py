"""A mask as its file has it, 1 bit a pixel: its box and its area are found without unpacking it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fornet_hf.format.masks import Box, Levels, Mask, filtered_rows

Packed = npt.NDArray[np.uint8]


class Bits:
    """A mask of 1 bit a pixel.

    Attributes:
        width: pixels.
        box: the smallest around the object; None where there is none.
        area: number of the object's pixels.
    """

    def __init__(self, rows: Packed, width: int, columns: bytes) -> None:
        """Take rows of packed pixels, each behind a byte of 0, as those of a PNG that nothing filtered.

        Args:
            rows: height x (1 + ceil(width / 8)) bytes; bits beyond the width are 0.
            width: pixels.
            columns: all rows, or-ed.
        """
        self._rows, self.width = rows, width
        self.box = _box(rows, columns)
        self.area = _count(rows)

    @classmethod
    def of_png(cls, data: bytes) -> Bits | None:
        """Return the mask in a PNG as `encode_mask` writes it; None: any other file. Raises as `open_mask`."""
        found = filtered_rows(data)
        if found is None:
            return None
        rows, width = found
        columns = np.bitwise_or.reduce(rows, axis=0).tobytes()
        plain = not columns[0] and (not width % 8 or not columns[-1] & (0xFF >> width % 8))
        return cls(rows, width, columns) if plain else None

    @classmethod
    def of(cls, mask: Mask) -> Bits:
        """Return a bool array of height x width in bits."""
        height, width = mask.shape
        rows = np.zeros((height, 1 + -(-width // 8)), np.uint8)
        rows[:, 1:] = np.packbits(mask, axis=1)
        return cls(rows, width, np.bitwise_or.reduce(rows, axis=0).tobytes())

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return self.width, len(self._rows)

    def levels(self, box: Box) -> Levels:
        """Return a box of it as uint8, 0 and 255, height x width."""
        left, top, right, bottom = box
        first = left // 8
        rows = np.unpackbits(self._rows[top:bottom, 1 + first : 1 - right // -8], axis=1)
        return np.negative(rows[:, left - 8 * first : right - 8 * first])  # in 8 bits the negative of 1 is 255

    def part(self, box: Box) -> Packed:
        """Return the bits of a box, its first column in the highest; beyond the box's last column is anything."""
        left, top, right, bottom = box
        first, shift, count = 1 + left // 8, left % 8, -(-(right - left) // 8)
        rows = self._rows[top:bottom]
        if shift:  # as one long row: after the last byte of each is the 0 of the next
            codes = rows.reshape(-1)
            shifted: Packed = np.left_shift(codes, np.uint8(shift))
            shifted[:-1] |= codes[1:] >> np.uint8(8 - shift)
            rows = shifted.reshape(rows.shape)
        return rows[:, first : first + count]


def _box(rows: Packed, columns: bytes) -> Box | None:
    right = len(columns.rstrip(b"\0"))
    if not right:
        return None
    left = len(columns) - len(columns.lstrip(b"\0"))
    codes, stride = rows.tobytes(), rows.shape[1]
    top, bottom = len(codes) - len(codes.lstrip(b"\0")), len(codes.rstrip(b"\0"))
    first, last = columns[left], columns[right - 1]
    return (
        8 * (left - 1) + 8 - first.bit_length(),
        top // stride,
        8 * (right - 1) - ((last & -last).bit_length() - 1),
        -(-bottom // stride),
    )


def _count(rows: Packed) -> int:
    codes = rows.reshape(-1)
    if not hasattr(np, "bitwise_count"):  # NumPy 1
        return int.from_bytes(codes.tobytes(), "little").bit_count()
    words = len(codes) & ~7
    rest = int.from_bytes(codes[words:].tobytes(), "little").bit_count()
    return int(np.bitwise_count(codes[:words].view(np.uint64)).sum(dtype=np.int64)) + rest
