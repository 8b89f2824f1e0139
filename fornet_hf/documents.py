"""Small files of a release (manifest, statistics, card), read to a limit: they come from the network."""

from __future__ import annotations

import json
from typing import Any, BinaryIO

from fornet_hf.errors import PatchFormatError, explain

MAX_BYTES = 2**24  # ImageNet's manifest has 100 kB


def read_document(file: BinaryIO, name: object, max_bytes: int = MAX_BYTES) -> bytes:
    """The bytes of a file, of which no more than `max_bytes` + 1 are read.

    Raises:
        PatchFormatError: it has more than that; the message begins with `name`.
    """
    data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        found, allowed = f"more than {max_bytes} bytes", f"{max_bytes} bytes"
        raise PatchFormatError(explain(f"{name}: too large", found=found, allowed=allowed))
    return data


def read_json(file: BinaryIO, name: object, max_bytes: int = MAX_BYTES, **options: Any) -> Any:
    """The value in a JSON file; `options` are those of `json.loads`.

    Raises:
        PatchFormatError: it is too large, or not valid JSON.
    """
    data = read_document(file, name, max_bytes)
    try:
        return json.loads(data, **options)
    except (ValueError, RecursionError) as error:
        raise PatchFormatError(explain(f"{name}: not valid JSON", found=error)) from error
