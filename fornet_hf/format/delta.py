"""The difference between two files, as BSDIFF4, read with distrust.

A delta comes from the network and is applied by C code. Everything that this code would believe (block
lengths, sizes, the control program) is checked here first, and every block is decompressed within a limit.
"""

from __future__ import annotations

import bz2

import bsdiff4
import numpy as np
from bsdiff4 import core

from fornet_hf.errors import PatchFormatError, explain

_MAGIC = b"BSDIFF40"
_HEADER = 32
_TRIPLE = 24  # bytes of one control instruction: three signed 64-bit numbers
_SIGN = np.uint64(1 << 63)
MAX_INSTRUCTIONS = 2**20  # 24 MiB; the delta of a photo has some hundred


def make_delta(prediction: bytes, target: bytes) -> bytes:
    """Return the delta that turns `prediction` into `target`."""
    return bytes(bsdiff4.diff(prediction, target))


def apply_delta(prediction: bytes, delta: bytes, *, max_bytes: int) -> bytes:
    """Turn `prediction` into the target.

    Args:
        prediction: the bytes that `make_delta` was given.
        delta: untrusted bytes.
        max_bytes: the largest target that is allowed.

    Raises:
        PatchFormatError: the delta is damaged, declares more than `max_bytes`, or would read outside of the
            prediction. A wrong prediction is not noticed: compare the result's digest.
    """
    size, control, difference, extra = _read_blocks(delta, max_bytes)
    _check_control(control, len(prediction), len(difference), len(extra), size)
    try:
        return bytes(core.patch(prediction, size, control, difference, extra))
    except (ValueError, OverflowError, MemoryError) as error:
        raise PatchFormatError(explain("the delta cannot be applied", found=error)) from error


def _read_blocks(delta: bytes, max_bytes: int) -> tuple[int, bytes, bytes, bytes]:
    if delta[:8] != _MAGIC or len(delta) < _HEADER:
        raise PatchFormatError(
            explain("the delta has no BSDIFF4 header", found=repr(delta[:8]), allowed=repr(_MAGIC))
        )
    control_length, difference_length, size = (core.decode_int64(delta[at : at + 8]) for at in (8, 16, 24))
    if not 0 <= size <= max_bytes:
        raise PatchFormatError(
            explain("the delta declares an impossible target", found=f"{size} bytes", allowed=f"0 to {max_bytes}")
        )
    split, end = _HEADER + control_length, _HEADER + control_length + difference_length
    if control_length < 0 or difference_length < 0 or end > len(delta):
        found = f"blocks of {control_length} and {difference_length} bytes in {len(delta)}"
        raise PatchFormatError(explain("the delta's block lengths are impossible", found=found))
    # Each instruction but the last must produce a byte or more, or bsdiff would not have written it.
    control = _decompress(delta[_HEADER:split], _TRIPLE * min(size + 1, MAX_INSTRUCTIONS), "control")
    difference = _decompress(delta[split:end], size, "difference")
    extra = _decompress(delta[end:], size - len(difference), "extra")
    return size, control, difference, extra


def _decompress(block: bytes, limit: int, name: str) -> bytes:
    decompressor = bz2.BZ2Decompressor()
    try:
        data = decompressor.decompress(block, max_length=limit + 1)
    except (OSError, ValueError) as error:
        raise PatchFormatError(explain(f"the delta's {name} block is damaged", found=error)) from error
    if len(data) > limit:
        raise PatchFormatError(
            explain(f"the delta's {name} block is too long", found=f"over {limit} bytes", allowed=limit)
        )
    if not decompressor.eof or decompressor.unused_data:
        raise PatchFormatError(f"the delta's {name} block is truncated or followed by other bytes")
    return data


def _check_control(control: bytes, source: int, difference: int, extra: int, size: int) -> None:
    """Refuse a control program that leaves a buffer, or does not use up both blocks exactly."""
    if len(control) % _TRIPLE:
        raise PatchFormatError(
            explain("the delta's control block is cut", found=f"{len(control)} bytes", allowed="a multiple of 24")
        )
    # Sign and magnitude, little-endian (Percival's bsdiff format).
    raw = np.frombuffer(control, "<u8").reshape(-1, 3)
    if bool(((raw & ~_SIGN) > 2**40).any()):  # far above any image; 2**20 of them do not overflow the sums below
        raise PatchFormatError("the delta's control block holds an impossible length")
    values = np.where(raw & _SIGN, -1, 1) * (raw & ~_SIGN).astype(np.int64)
    copied, inserted, skipped = values.T
    starts = np.cumsum(copied + skipped) - (copied + skipped)
    inside = (copied >= 0) & (inserted >= 0) & (starts >= 0) & (starts + copied <= source)
    if not bool(inside.all()):
        raise PatchFormatError("the delta reads outside of the prediction")
    if (int(copied.sum()), int(inserted.sum())) != (difference, extra) or difference + extra != size:
        raise PatchFormatError(
            explain(
                "the delta's parts do not add up to its target",
                found=f"{int(copied.sum())} + {int(inserted.sum())} instructed, {difference} + {extra} stored",
                allowed=f"{size} bytes",
            )
        )
