"""One patch of the old release: what it holds, and the checks that make it safe to apply."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fornet_hf.errors import PatchFormatError, explain
from fornet_hf.release.legacy.unpickle import kind, unpickle

# The public tools make images of at most 512 x 512. The limits are those of eight times as many pixels, with
# difference and mask in 8 bytes a value: a patch is held up to four times while it is read.
MAX_PIXELS = 2**21
MAX_SIDE = 4096
MAX_PATCH_BYTES = MAX_PIXELS * 4 * 8

_GZIP_MAGIC = b"\x1f\x8b"
_KEYS = ("bg_diff", "fg_off", "fg_mask")


@dataclass(frozen=True, eq=False)
class LegacyPatch:
    """A checked patch; at least one of its two parts (difference, offset with mask) is there.

    `difference`  int16, H x W x 3, -255..255: background minus resized source, or None
    `offset`      (x, y) of the mask's upper left corner on the resized source, pixels, or None
    `mask`        bool, h x w: the object, or None; given exactly when `offset` is
    """

    difference: NDArray[np.int16] | None
    offset: tuple[int, int] | None
    mask: NDArray[np.bool_] | None


def read_patch(data: bytes, *, max_bytes: int = MAX_PATCH_BYTES) -> LegacyPatch:
    """Read the patch in the bytes of a `.pkl` or `.pkl.gz` file, told apart by gzip's magic number.

    Raises PatchFormatError for anything but such a patch, and for more than `max_bytes` unpacked bytes.
    Nothing in the bytes is run.
    """
    content = unpickle(_unpacked(data, max_bytes))
    unknown = [key[:40] for key in content if key not in _KEYS]
    if unknown:
        raise PatchFormatError(explain("unknown keys in the patch", found=unknown[:5], allowed=", ".join(_KEYS)))
    difference = _difference(content.get("bg_diff"))
    offset, mask = _offset(content.get("fg_off")), _mask(content.get("fg_mask"))
    if (offset is None) != (mask is None):
        found = "fg_mask without fg_off" if offset is None else "fg_off without fg_mask"
        raise PatchFormatError(explain("half a foreground", found=found, allowed="both or neither"))
    if difference is None and mask is None:
        raise PatchFormatError(
            explain(
                "an empty patch", found=f"keys {sorted(content)}", allowed="bg_diff, or fg_off and fg_mask, or all"
            )
        )
    return LegacyPatch(difference, offset, mask)


def _unpacked(data: bytes, max_bytes: int) -> bytes:
    """Return `data` without its gzip layer, if it has one; never more than `max_bytes`."""
    if data.startswith(_GZIP_MAGIC):
        gzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)  # 16: expects gzip's header and checksum
        packed = data
        try:
            data = gzip.decompress(packed, max_bytes + 1)
        except zlib.error as error:
            raise PatchFormatError(explain("the gzip layer is damaged", found=error)) from error
        if len(data) <= max_bytes and not gzip.eof:
            raise PatchFormatError(explain("the gzip layer is cut off", found=f"{len(packed)} bytes without an end"))
        if gzip.unused_data:
            raise PatchFormatError(explain("bytes after the gzip layer", found=f"{len(gzip.unused_data)} bytes"))
    if len(data) > max_bytes:
        raise PatchFormatError(
            explain("the patch is too large", found=f"more than {max_bytes} bytes", allowed=f"{max_bytes} bytes")
        )
    return data


def _difference(value: object) -> NDArray[np.int16] | None:
    if value is None:
        return None
    allowed = "integers of shape H x W x 3"
    array = _array("bg_diff", value, allowed)
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype.kind == "b":
        raise PatchFormatError(explain("bg_diff", found=_described(array), allowed=allowed))
    _check_size("bg_diff", array)
    low, high = int(array.min()), int(array.max())
    if low < -255 or high > 255:
        raise PatchFormatError(explain("bg_diff", found=f"values {low}..{high}", allowed="-255..255"))
    return array.astype(np.int16)


def _mask(value: object) -> NDArray[np.bool_] | None:
    if value is None:
        return None
    allowed = "integers or booleans of shape h x w x 1"
    array = _array("fg_mask", value, allowed)
    if array.ndim != 3 or array.shape[2] != 1:
        raise PatchFormatError(explain("fg_mask", found=_described(array), allowed=allowed))
    _check_size("fg_mask", array)
    low, high = int(array.min()), int(array.max())
    if low < 0 or high > 1:
        raise PatchFormatError(explain("fg_mask", found=f"values {low}..{high}", allowed="0 and 1"))
    return array[:, :, 0].astype(np.bool_)


def _offset(value: object) -> tuple[int, int] | None:
    match value:
        case None:
            return None
        case (int() as x, int() as y) if min(x, y) >= 0 and not (isinstance(x, bool) or isinstance(y, bool)):
            return x, y
        case (int() as x, int() as y):
            found = f"({x}, {y})"
        case tuple():
            found = f"a tuple of {len(value)} ({', '.join(kind(item) for item in value[:4])})"
        case _:
            found = kind(value)
    raise PatchFormatError(explain("fg_off", found=found, allowed="(x, y), two integers from 0 on"))


def _array(name: str, value: object, allowed: str) -> NDArray[np.generic]:
    if not isinstance(value, np.ndarray):
        raise PatchFormatError(explain(name, found=kind(value), allowed=allowed))
    return value


def _check_size(name: str, array: NDArray[np.generic]) -> None:
    height, width = array.shape[:2]
    if max(height, width) > MAX_SIDE or height * width > MAX_PIXELS:
        allowed = f"{MAX_SIDE} pixels a side, {MAX_PIXELS} in all"
        raise PatchFormatError(explain(f"{name} is too large", found=_described(array), allowed=allowed))


def _described(array: NDArray[np.generic]) -> str:
    return f"{array.dtype} of shape {' x '.join(map(str, array.shape)) or 'nothing'}"
