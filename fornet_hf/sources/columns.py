"""The columns of a Parquet shard that hold the images and their labels."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from fornet_hf.errors import PatchFormatError, SourceError, explain

if TYPE_CHECKING:
    from collections.abc import Mapping

_METADATA = b"huggingface"
_ALLOWED = {"image": "struct<bytes: binary, path: string>", "label": "integers, such as int64"}


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The names of two columns.

    Attributes:
        image: of the images; None: `image`, or the only column that can be meant.
        label: of the labels; None: `label`, or the only column that can be meant.
    """

    image: str | None = None
    label: str | None = None

    @classmethod
    def of_release(cls, producer: Mapping[str, Any]) -> Columns:
        """Return those that a release was made from, as its manifest says under `producer`.

        Raises:
            PatchFormatError: what it says is not the names of columns.
        """
        value = producer.get("columns", {})
        known = isinstance(value, dict) and value.keys() <= {"image", "label"}
        if not known or not all(isinstance(name, str) for name in value.values()):
            allowed = '{"image": NAME, "label": NAME}'
            raise PatchFormatError(
                explain("producer.columns of the manifest", found=repr(value)[:80], allowed=allowed)
            )
        return cls(**value)

    def found_in(self, schema: Any, name: str) -> tuple[str, str]:
        """Return the names of the columns of images and of labels.

        Args:
            schema: Arrow schema of the shard.
            name: what errors call the shard.

        Raises:
            SourceError: there is none that can be meant, or several.
        """
        features = features_of(schema, name)
        classes = {
            column
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
        types = {field.name: field.type for field in schema}
        images = [column for column, kind in types.items() if _is_image(kind)]
        labels = [column for column, kind in types.items() if pa.types.is_integer(kind)]
        return (
            _chosen(types, name, "image", self.image, images),
            _chosen(types, name, "label", self.label, [one for one in labels if one in classes] or labels, labels),
        )


def _is_image(kind: Any) -> bool:
    """Return whether it is `struct<bytes, path>`; images that were saved without files may have no paths."""
    fields = {field.name: field.type for field in kind} if pa.types.is_struct(kind) else {}
    paths = {pa.string(), pa.large_string(), pa.null()}
    return fields.get("bytes") in {pa.binary(), pa.large_binary()} and fields.get("path", pa.null()) in paths


def _chosen(
    types: Mapping[str, Any],
    name: str,
    what: str,
    asked: str | None,
    likely: list[str],
    possible: list[str] | None = None,
) -> str:
    """Return the column that is asked for, else the one with the usual name, else the only likely one.

    Args:
        types: Arrow type of each column.
        name: what errors call the shard.
        what: `image` or `label`, the usual name.
        asked: the name that is asked for.
        likely: columns which may be meant.
        possible: columns of a type that will do; by default the likely ones.
    """
    possible = likely if possible is None else possible
    column = asked or (what if what in possible or not likely else likely[0])
    if column not in types:
        raise SourceError(explain(f"{name} lacks columns", found=list(types), allowed=asked or "image and label"))
    if column not in possible:
        raise SourceError(explain(f"{name}, column {column!r}", found=types[column], allowed=_ALLOWED[what]))
    if column not in (asked, what) and len(likely) > 1:
        then = f"Say which: --{what}-column NAME"
        raise SourceError(explain(f"{name}: several columns may be the {what}", found=likely, then=then))
    return column


def features_of(schema: Any, name: str) -> Mapping[str, Any]:
    """Return what the library `datasets` has written about the columns, by name; empty where it has not.

    Raises:
        SourceError: what it has written is not JSON.
    """
    metadata = schema.metadata or {}
    try:
        value = json.loads(metadata.get(_METADATA, b"{}"))
    except (ValueError, RecursionError) as error:
        raise SourceError(explain(f"{name}: the metadata {_METADATA.decode()!r}", found=error)) from error
    for part in ("info", "features"):
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
