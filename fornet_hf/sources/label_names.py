"""The names of the labels in a Parquet shard, which the library `datasets` writes into the file's schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from fornet_hf.errors import SourceError, explain
from fornet_hf.sources.columns import features_of
from fornet_hf.sources.damage import damage_named

if TYPE_CHECKING:
    from pathlib import Path


def label_names(file: Path, column: str = "label") -> tuple[str, ...] | None:
    """Return the names of a column's labels in their order; None if the file does not tell.

    Raises:
        NotFoundError: if there is no such file.
        SourceError: if it is damaged, or tells what cannot be.
    """
    with damage_named(file):
        schema = pq.read_schema(file)
    feature = features_of(schema, str(file)).get(column)
    names = feature.get("names") if isinstance(feature, dict) else None
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SourceError(explain(f"{file}: names of labels", found=repr(names)[:80], allowed="a list of strings"))
    return tuple(names)
