"""Patch shards: Parquet files of patches, one per shard of the source dataset and in its row order.

Candidates have the same columns and five more (version, prompt, score, soft, detections), so selecting is filtering
rows.
docs/patch_format.md, section 4, is the specification.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from fornet_hf.errors import INSTALL, ForNetError, NotFoundError, PatchFormatError, explain, short
from fornet_hf.files import atomic_path
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.patch import DIGEST_BYTES, Patch

FORMAT_VERSION = 1
ROW_GROUP_ROWS = 256  # about 5 MB: what a reader holds in memory
MAX_ROW_GROUP_ROWS = 2**12
MAX_ROW_GROUP_BYTES = 2**26
MAX_ROWS = 2**22  # their keys are held in memory; all of ImageNet has 2**20.3
_METADATA_KEY = b"fornet"
# Arrow raises its own exceptions for damage that it finds, and Python's for text that is not UTF-8.
_DAMAGE = (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError, RecursionError)

_BOX = pa.list_(pa.field("item", pa.uint16(), nullable=False))
SCHEMA = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("label", pa.int32(), nullable=False),
        pa.field("width", pa.uint16(), nullable=False),
        pa.field("height", pa.uint16(), nullable=False),
        pa.field("source_sha256", pa.binary(DIGEST_BYTES), nullable=False),
        pa.field("prediction_sha256", pa.binary(DIGEST_BYTES), nullable=False),
        pa.field("target_sha256", pa.binary(DIGEST_BYTES)),
        pa.field("box", _BOX),
        pa.field("mask", pa.binary()),
        pa.field("delta", pa.binary()),
        pa.field("foreground_ratio", pa.float32(), nullable=False),
    ]
)
_DETECTION = pa.struct(
    [
        pa.field("box", _BOX, nullable=False),
        pa.field("score", pa.float32(), nullable=False),
        pa.field("prompt", pa.string(), nullable=False),
    ]
)
CANDIDATE_SCHEMA = pa.schema(
    [
        *SCHEMA,
        pa.field("version", pa.uint8(), nullable=False),
        pa.field("prompt", pa.string(), nullable=False),
        pa.field("score", pa.float32(), nullable=False),
        pa.field("soft", pa.binary()),
        pa.field("detections", pa.list_(pa.field("item", _DETECTION, nullable=False))),
    ]
)
"""Of candidates, of which an image may have several: version, from 0; prompt; score of the detection, 0 to 1; a grey
PNG that says how much each part of the image is the object, or null; all boxes in the image, or null: version 0 alone
has them, if a detector found some."""
_LATER = {"soft", "detections"}  # columns that shards of earlier versions lack
_DETECTION_LEAVES = [f"detections.list.element.{part}" for part in ("box.list.element", "score", "prompt")]

Record = dict[str, Any]
"""A row by names of columns."""

# Neither compressed nor with statistics, which would repeat two values for each page.
_INCOMPRESSIBLE = {"mask", "delta", "soft", "source_sha256", "prediction_sha256", "target_sha256"}


def write_shard(path: Path, patches: Iterable[Patch], encoding: Encoding) -> int:
    """Write a patch shard; returns the number of rows. The file appears complete or not at all.

    Args:
        path: of the shard; folders are made.
        patches: in the row order of the source shard; consumed in groups of 256, or fewer where
            they are large.
        encoding: the release's settings, which are stored in the file's metadata too.
    """
    return write_records(
        path, ({name: getattr(patch, name) for name in SCHEMA.names} for patch in patches), SCHEMA, encoding
    )


def write_records(path: Path, records: Iterable[Record], schema: pa.Schema, encoding: Encoding) -> int:
    """Write a shard of patches, which may have more columns than `SCHEMA`; otherwise as `write_shard`."""
    text = json.dumps({"format_version": FORMAT_VERSION, "encoding": encoding.to_json()}, sort_keys=True)
    schema = schema.with_metadata({_METADATA_KEY: text.encode()})
    compression = {name: "NONE" if name in _INCOMPRESSIBLE else "ZSTD" for name in schema.names}
    compression["box.list.element"] = compression.pop("box")
    if compression.pop("detections", None):
        compression |= dict.fromkeys(_DETECTION_LEAVES, "ZSTD")
    count = 0
    with (
        atomic_path(path) as temporary,
        pq.ParquetWriter(
            temporary,
            schema,
            use_dictionary=False,
            compression=compression,
            write_statistics=[name for name in compression if name not in _INCOMPRESSIBLE],
            write_page_checksum=True,
        ) as writer,
    ):
        for group in _groups(records):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
            count += len(group)
    return count


def _groups(records: Iterable[Record]) -> Iterator[list[Record]]:
    group: list[Record] = []
    size = 0
    for record in records:
        added = sum(len(record.get(name) or b"") for name in ("mask", "delta", "soft"))
        if len(group) == ROW_GROUP_ROWS or (group and size + added > MAX_ROW_GROUP_BYTES // 2):
            yield group
            group, size = [], 0
        group.append(record)
        size += added
    if group:
        yield group


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
            # Not ahead, which Arrow does in threads of its own: they may still be in a file on the Hub, which is
            # Python, when the process ends after a failure, and take it down.
            self._file = pq.ParquetFile(file, page_checksum_verification=True, pre_buffer=False)
            self.encoding = checked_encoding(self._file)
        except FileNotFoundError as error:
            raise NotFoundError(explain(f"{name}: the shard is missing", found=error)) from error
        except ForNetError as error:
            raise error.at(name) from error
        except _DAMAGE as error:
            raise self._damaged(error) from error
        self.keys: list[str] = self.columns("key").column("key").to_pylist()
        if twice := [key for key, count in Counter(self.keys).items() if count > 1][:3]:
            raise PatchFormatError(explain(f"{name}: keys are not unique", found=[*map(short, twice)]))
        counts = [self._file.metadata.row_group(i).num_rows for i in range(self._file.num_row_groups)]
        self._starts = list(accumulate(counts, initial=0))[:-1]
        self._group: tuple[int, list[dict[str, Any]]] = (-1, [])

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, row: int) -> Patch:
        """Return the patch in a row, counted from 0; cheap when rows are asked for in order.

        Raises:
            IndexError: there is no such row.
            PatchFormatError: the row does not follow the format, or its pages are damaged.
        """
        if not 0 <= row < len(self):
            raise IndexError(f"{self.name} has no row {row}; it has {len(self)}")
        group = bisect_right(self._starts, row) - 1
        if group != self._group[0]:
            try:
                self._group = (group, self._file.read_row_group(group, use_threads=False).to_pylist())
            except ForNetError as error:  # the Hub did not hand it out
                raise error.at(self.place(row)) from error
            except _DAMAGE as error:
                raise self._damaged(error) from error
        try:
            return patch_of(self._group[1][row - self._starts[group]])
        except ForNetError as error:
            raise error.at(self.place(row)) from error

    def columns(self, *names: str) -> pa.Table:
        """Return columns of all rows, without reading the others.

        Raises:
            PatchFormatError: their pages are damaged.
        """
        try:
            table = self._file.read(columns=list(names), use_threads=False)
            table.validate(full=True)  # or text that is no UTF-8 is found only when it becomes Python's
        except ForNetError as error:  # the Hub did not hand it out
            raise error.at(self.name) from error
        except _DAMAGE as error:
            raise self._damaged(error) from error
        return table

    def place(self, row: int) -> str:
        """Return what error messages call a row: file, row and key."""
        return f"{self.name}, row {row} ({short(self.keys[row])})"

    def _damaged(self, error: Exception) -> PatchFormatError:
        then = "Download the shard again."
        return PatchFormatError(explain(f"{self.name}: not a readable Parquet file", found=error, then=then))


def checked_encoding(file: pq.ParquetFile, schema: pa.Schema = SCHEMA) -> Encoding:
    """Return the settings that a shard was made with.

    Raises:
        PatchFormatError: it has other columns than `schema`, too many or too large rows, or no such settings.
    """
    _check_schema(file.schema_arrow, schema)
    _check_sizes(file.metadata)
    try:
        settings = json.loads(file.schema_arrow.metadata[_METADATA_KEY])
        version = settings["format_version"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise PatchFormatError("the file has no ForNet metadata, so it is no patch shard") from error
    if type(version) is not int or version != FORMAT_VERSION:
        then = f"Install a newer version: {INSTALL}"
        raise PatchFormatError(
            explain("unknown format version", found=repr(version)[:80], allowed=FORMAT_VERSION, then=then)
        )
    return Encoding.from_json(settings.get("encoding"))


def _check_schema(schema: pa.Schema, allowed: pa.Schema) -> None:
    if schema.equals(pa.schema([one for one in allowed if one.name in schema.names or one.name not in _LATER])):
        return
    expected = list(allowed)
    wrong = [str(field) for field in schema if field not in expected]
    missing = [str(field) for field in expected if field not in list(schema)]
    found = f"{wrong or 'no others'}, without {missing}" if wrong or missing else schema.names
    raise PatchFormatError(
        explain("the columns are not those of a patch shard", found=found, allowed=", ".join(allowed.names))
    )


def _check_sizes(metadata: pq.FileMetaData) -> None:
    if metadata.num_rows > MAX_ROWS:
        raise PatchFormatError(explain("the shard has too many rows", found=metadata.num_rows, allowed=MAX_ROWS))
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        rows, size = group.num_rows, group.total_byte_size
        if not (0 <= rows <= MAX_ROW_GROUP_ROWS and 0 <= size <= MAX_ROW_GROUP_BYTES):
            found, allowed = f"{rows} rows, {size} bytes", f"{MAX_ROW_GROUP_ROWS} rows, {MAX_ROW_GROUP_BYTES} bytes"
            raise PatchFormatError(explain("a row group is too large", found=found, allowed=allowed))


def patch_of(record: Record) -> Patch:
    """Return the patch in a row of `SCHEMA`'s columns, as pyarrow gives it.

    Raises:
        PatchFormatError: it does not follow the format.
    """
    box = record["box"]
    if box is not None and len(box) != 4:
        raise PatchFormatError(explain("the box has another length", found=len(box), allowed=4))
    return Patch(**{**record, "box": None if box is None else tuple(box)})
