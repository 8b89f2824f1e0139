"""The names of the labels in a Parquet shard, which the library `datasets` writes into the file's schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from fornet_hf.errors import SourceError, explain
from fornet_hf.sources.damage import damage_named

if TYPE_CHECKING:
    from pathlib import Path

_METADATA = b"huggingface"


def label_names(file: Path) -> tuple[str, ...] | None:
    """The names of the labels in their order; None if the file does not tell.

    Raises:
        NotFoundError: if there is no such file.
        SourceError: if it is damaged, or tells what cannot be.
    """
    with damage_named(file):
        metadata = pq.read_schema(file).metadata or {}
    try:
        names = _names(json.loads(metadata.get(_METADATA, b"{}")))
    except (ValueError, RecursionError) as error:
        raise SourceError(explain(f"{file}: the metadata {_METADATA.decode()!r}", found=error)) from error
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SourceError(explain(f"{file}: names of labels", found=repr(names)[:80], allowed="a list of strings"))
    return tuple(names)


def _names(value: object) -> object:
    """What `datasets` has under `info.features.label.names`; None where a part of that is missing."""
    for name in ("info", "features", "label", "names"):
        value = value.get(name) if isinstance(value, dict) else None
    return value
