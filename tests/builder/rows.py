"""What a loaded dataset holds, in a form that travels between processes and can be compared."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import datasets

from fornet_hf.format.patch import apply_patch
from fornet_hf.format.rows import Row
from tests.images import ENCODING
from tests.published import ROWS, SHARDS, patch_of, source_of

_IMAGES = ("foreground", "mask", "background")


def described(loaded: Any) -> Any:
    """Each split's rows, with digests of the stored files instead of images; or what a recombination gives."""
    if isinstance(loaded, Mapping):
        return {name: described(rows) for name, rows in loaded.items()}
    if isinstance(loaded, datasets.Dataset) and loaded.format["type"] == "custom":
        return [{"columns": sorted(row), "size": list(row["image"].size)} for row in loaded]
    features = loaded.features or {}
    for name in _IMAGES:
        if name in features:
            loaded = loaded.cast_column(name, datasets.Image(decode=False))
    return [_plain(row) for row in loaded]


def made_directly(split: str, strength: int = 0) -> list[dict[str, Any]]:
    """The rows of the published release, from `apply_patch` alone."""
    numbers = [n for n in range(SHARDS[split] * ROWS) if n % ROWS < ROWS - 1]
    return [from_row(apply_patch(source_of(split, n), patch_of(split, n, strength), ENCODING)) for n in numbers]


def from_row(row: Row) -> dict[str, Any]:
    """A row in the same form."""
    values = {name: {"bytes": getattr(row, name)} for name in _IMAGES}
    return _plain({**vars(row), **values})


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    if "image" in row:
        return {"columns": sorted(row), "size": list(row["image"].size)}
    return {
        "key": row["key"],
        "label": row["label"],
        "box": list(row["box"]),
        "ratio": round(row["foreground_ratio"], 6),
        **{name: hashlib.sha256(row[name]["bytes"]).hexdigest()[:16] for name in _IMAGES},
    }
