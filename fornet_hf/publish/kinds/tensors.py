"""The header of a safetensors file, read without the package and without any weight.

A file begins with the header's length (8 bytes, little-endian), the header, a JSON object that names shape, type and
place of each tensor, and then the tensors (https://github.com/huggingface/safetensors, section Format).
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fornet_hf.errors import IntegrityError, explain

_LONGEST = 10**8  # bytes of a header, as the format allows
_BEFORE = 8


@dataclass(frozen=True)
class Header:
    """The header of a file.

    Attributes:
        metadata: text by name.
        parameters: numbers in all tensors together.
        types: of the numbers, as the format calls them: F32, I64, ...
        raw: its bytes.
    """

    metadata: Mapping[str, str]
    parameters: int
    types: tuple[str, ...]
    raw: bytes


def read_header(path: Path) -> Header:
    """Return the header of a file whose tensors are all there.

    Raises:
        IntegrityError: it is no safetensors file, or cut off.
    """
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(_BEFORE))
            raw = file.read(min(length, _LONGEST))
        value: dict[str, Any] = json.loads(raw)
        metadata = value.pop("__metadata__", {})
        end = max((one["data_offsets"][1] for one in value.values()), default=0)
        parameters = sum(math.prod(one["shape"]) for one in value.values())
        types = tuple(sorted({str(one["dtype"]) for one in value.values()}))
    except (struct.error, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise IntegrityError(explain(f"{path}: no header of safetensors", found=error)) from error
    if (size := path.stat().st_size) != (whole := _BEFORE + length + end):
        found, allowed = f"{size} bytes", f"{whole} bytes, as its header says"
        raise IntegrityError(explain(f"{path}: not a whole file of weights", found=found, allowed=allowed))
    return Header({str(name): str(text) for name, text in metadata.items()}, parameters, types, raw)
