"""Patch shards: Parquet files of patches, one per shard of the source dataset and in its row order.

Candidates have the same columns and three more (version, prompt, score), so selecting is filtering rows.
docs/patch_format.md, section 4, is the specification.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from fornet_hf.encoding import Encoding
from fornet_hf.errors import ForNetError, PatchFormatError, explain
from fornet_hf.files import atomic_path
from fornet_hf.patch import DIGEST_BYTES, Patch

FORMAT_VERSION = 1
ROW_GROUP_ROWS = 256  # about 5 MB: what a reader holds in memory
MAX_ROW_GROUP_BYTES = 2**28
_METADATA_KEY = b"fornet"

SCHEMA = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("label", pa.int32(), nullable=False),
        pa.field("width", pa.uint16(), nullable=False),
        pa.field("height", pa.uint16(), nullable=False),
        pa.field("source_sha256", pa.binary(DIGEST_BYTES), nullable=False),
        pa.field("prediction_sha256", pa.binary(DIGEST_BYTES), nullable=False),
        pa.field("target_sha256", pa.binary(DIGEST_BYTES)),
        pa.field("box", pa.list_(pa.field("item", pa.uint16(), nullable=False), 4)),
        pa.field("mask", pa.binary()),
        pa.field("delta", pa.binary()),
        pa.field("foreground_ratio", pa.float32(), nullable=False),
    ]
)
_INCOMPRESSIBLE = {"mask", "delta", "source_sha256", "prediction_sha256", "target_sha256"}


def write_shard(path: Path, patches: Iterable[Patch], encoding: Encoding) -> int:
    """Write a patch shard; returns the number of rows. The file appears complete or not at all.

    Args:
        path: of the shard; folders are made.
        patches: in the row order of the source shard; consumed in groups of 256.
        encoding: the release's settings, which are stored in the file's metadata too.
    """
    text = json.dumps({"format_version": FORMAT_VERSION, "encoding": encoding.to_json()}, sort_keys=True)
    schema = SCHEMA.with_metadata({_METADATA_KEY: text.encode()})
    compression = {name: "NONE" if name in _INCOMPRESSIBLE else "ZSTD" for name in schema.names}
    compression["box.list.item"] = compression.pop("box")
    count = 0
    with (
        atomic_path(path) as temporary,
        pq.ParquetWriter(
            temporary, schema, use_dictionary=False, compression=compression, write_page_checksum=True
        ) as writer,
    ):
        for group in _groups(patches):
            writer.write_table(pa.Table.from_pylist([_record(patch) for patch in group], schema=schema))
            count += len(group)
    return count


def _groups(patches: Iterable[Patch]) -> Iterator[list[Patch]]:
    group: list[Patch] = []
    for patch in patches:
        group.append(patch)
        if len(group) == ROW_GROUP_ROWS:
            yield group
            group = []
    if group:
        yield group


def _record(patch: Patch) -> dict[str, Any]:
    return {name: getattr(patch, name) for name in SCHEMA.names}


class PatchShard:
    """A patch shard that is open for reading; holds one row group in memory.

    Attributes:
        name: what error messages call it.
        encoding: the settings it was made with.
        keys: of all rows, in order.
    """

    def __init__(self, file: BinaryIO | Path, name: str) -> None:
        self.name = name
        try:
            self._file = pq.ParquetFile(file, page_checksum_verification=True)
            self.encoding = _checked_encoding(self._file)
            keys = self._file.read(columns=["key"]).column("key").to_pylist()
        except ForNetError as error:
            raise error.at(name) from error
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(error) from error
        self.keys: list[str] = keys
        if len(set(keys)) != len(keys):
            twice = sorted(key for key in set(keys) if keys.count(key) > 1)[:3]
            raise PatchFormatError(explain(f"{name}: keys are not unique", found=twice))
        counts = [self._file.metadata.row_group(i).num_rows for i in range(self._file.num_row_groups)]
        self._starts = [sum(counts[:i]) for i in range(len(counts))]
        self._group: tuple[int, list[dict[str, Any]]] = (-1, [])

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, row: int) -> Patch:
        """The patch in a row; cheap when rows are asked for in order.

        Raises:
            PatchFormatError: the row does not follow the format, or its pages are damaged.
        """
        group = max(i for i, start in enumerate(self._starts) if start <= row)
        if group != self._group[0]:
            try:
                self._group = (group, self._file.read_row_group(group).to_pylist())
            except (pa.ArrowException, OSError) as error:
                raise self._damaged(error) from error
        record = self._group[1][row - self._starts[group]]
        try:
            return _patch(record)
        except ForNetError as error:
            raise error.at(self.place(row)) from error

    def place(self, row: int) -> str:
        """What error messages call a row: file, row and key."""
        return f"{self.name}, row {row} ({self.keys[row]})"

    def _damaged(self, error: Exception) -> PatchFormatError:
        then = "Download the shard again."
        return PatchFormatError(explain(f"{self.name}: not a readable Parquet file", found=error, then=then))


def _checked_encoding(file: pq.ParquetFile) -> Encoding:
    found, expected = file.schema_arrow.remove_metadata(), SCHEMA
    if not found.equals(expected):
        wrong = [str(field) for field in found if field not in list(expected)]
        missing = [str(field) for field in expected if field not in list(found)]
        raise PatchFormatError(explain("the columns are not those of a patch shard", found=wrong, allowed=missing))
    for group in range(file.num_row_groups):
        size = file.metadata.row_group(group).total_byte_size
        if size > MAX_ROW_GROUP_BYTES:
            raise PatchFormatError(explain("a row group is too large", found=size, allowed=MAX_ROW_GROUP_BYTES))
    try:
        settings = json.loads(file.schema_arrow.metadata[_METADATA_KEY])
        version = settings["format_version"]
    except (KeyError, TypeError, ValueError) as error:
        raise PatchFormatError("the file has no ForNet metadata, so it is no patch shard") from error
    if version != FORMAT_VERSION:
        then = "Install a newer fornet-hf: pip install -U fornet-hf"
        raise PatchFormatError(explain("unknown format version", found=version, allowed=FORMAT_VERSION, then=then))
    return Encoding.from_json(settings.get("encoding"))


def _patch(record: dict[str, Any]) -> Patch:
    box = record.pop("box")
    return Patch(box=None if box is None else (box[0], box[1], box[2], box[3]), **record)
