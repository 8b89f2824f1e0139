"""Hostile shards as files: a typed error that names the place, and never a wrong row."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fornet_hf.errors import (
    IntegrityError,
    NotFoundError,
    PatchFormatError,
)
from fornet_hf.format.shards import MAX_ROW_GROUP_ROWS, SCHEMA
from tests.hostile.attacked import KEY, SHARD, refused


def replaced(name, kind=None, *, nullable=False, new=None):
    """The schema with one field changed or (without a kind) removed."""
    if kind is None:
        return pa.schema([field for field in SCHEMA if field.name != name])
    return pa.schema(
        [pa.field(new or name, kind, nullable=nullable) if field.name == name else field for field in SCHEMA]
    )


SCHEMAS = {
    "column missing": (replaced("delta"), "delta"),
    "column more": (SCHEMA.append(pa.field("code", pa.string())), "code"),
    "column renamed": (replaced("key", pa.string(), new="name"), "name"),
    "column of text": (replaced("delta", pa.string(), nullable=True), "delta: string"),
    "label of 64 bits": (replaced("label", pa.int64()), "int64"),
    "ratio of 64 bits": (replaced("foreground_ratio", pa.float64()), "double"),
    "digest of any length": (replaced("source_sha256", pa.binary()), "source_sha256"),
    "digest of 20 bytes": (replaced("source_sha256", pa.binary(20)), "fixed_size_binary[20]"),
    "box of fixed length": (replaced("box", pa.list_(pa.uint16(), 4), nullable=True), "box"),
    "box of signed numbers": (replaced("box", pa.list_(pa.int32()), nullable=True), "box"),
    "key that may be null": (replaced("key", pa.string(), nullable=True), "key"),
    "label that may be null": (replaced("label", pa.int32(), nullable=True), "label"),
    "columns in another order": (pa.schema(list(SCHEMA)[::-1]), "foreground_ratio"),
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas(attacked, name):
    schema, says = SCHEMAS[name]
    change = {
        "digest of 20 bytes": lambda r: {**r, "source_sha256": bytes(20)},
        "column renamed": lambda r: {**r, "name": r["key"]},
        "column of text": lambda r: {**r, "delta": "text"},
    }.get(name, lambda r: r)
    attacked.table(lambda records: list(map(change, records)), schema)
    refused(attacked, PatchFormatError, SHARD, says, "columns")


METADATA = {
    "none": (None, "no ForNet metadata"),
    "not JSON": (b"{", "no ForNet metadata"),
    "not UTF-8": (b"\xff\xfe{", "no ForNet metadata"),
    "nested deep": (b"[" * 10**5, "no ForNet metadata"),
    "a list": (b"[1]", "no ForNet metadata"),
    "no version": (b"{}", "no ForNet metadata"),
    "later version": (b'{"format_version": 2}', "unknown format version; found 2; allowed: 1. Install a newer"),
    "version true": (b'{"format_version": true}', "unknown format version"),
    "no encoding": (b'{"format_version": 1}', "encoding"),
    "other quality": (
        b'{"format_version": 1, "encoding": {"max_side": 128, "dilation": 5, "quality": 75,'
        b' "subsampling": "4:2:0", "restart_interval": 1, "mcu": 16}}',
        "encoding.quality is not supported; found 75",
    ),
    "other side": (
        b'{"format_version": 1, "encoding": {"max_side": 256, "dilation": 5, "quality": 90,'
        b' "subsampling": "4:2:0", "restart_interval": 1, "mcu": 16}}',
        "other settings than the manifest",
    ),
}


@pytest.mark.parametrize("name", METADATA)
def test_metadata(attacked, name):
    text, says = METADATA[name]
    table = pq.read_table(attacked.shard)
    pq.write_table(table.replace_schema_metadata(text and {b"fornet": text}), attacked.shard)
    attacked.shard_bytes(attacked.shard.read_bytes())
    refused(attacked, PatchFormatError, SHARD, says)


def test_a_row_group_of_too_many_rows(attacked):
    def change(records):
        return [{**records[0], "key": str(n)} for n in range(MAX_ROW_GROUP_ROWS + 1)]

    attacked.table(change)
    refused(attacked, PatchFormatError, SHARD, "a row group is too large", str(MAX_ROW_GROUP_ROWS + 1))


def test_a_row_group_of_too_many_bytes(attacked):
    attacked.table(lambda records: [{**r, "delta": bytes(23 * 2**20)} for r in records], compression="ZSTD")
    assert attacked.shard.stat().st_size < 10**6
    refused(attacked, PatchFormatError, SHARD, "a row group is too large")


FILES = {
    "empty": lambda data: b"",
    "one byte": lambda data: b"P",
    "text": lambda data: b"version https://git-lfs.github.com/spec/v1\n",
    "zip": lambda data: b"PK\3\4" + data,
    "first half": lambda data: data[: len(data) // 2],
    "last half": lambda data: data[len(data) // 2 :],
    "without its last byte": lambda data: data[:-1],
    "footer longer than the file": lambda data: data[:-8] + b"\xff\xff\xff\x7fPAR1",
    "footer of no length": lambda data: data[:-8] + b"\0\0\0\0PAR1",
    "zeros in the middle": lambda data: data[:2000] + bytes(3000) + data[5000:],
    "key that is no UTF-8": lambda data: data.replace(KEY.encode(), b"\xff" * len(KEY)),
}


@pytest.mark.parametrize("name", FILES)
def test_files(attacked, name):
    attacked.table(lambda records: records, compression="NONE", write_statistics=False)
    attacked.shard_bytes(FILES[name](attacked.shard.read_bytes()))
    refused(attacked, PatchFormatError, SHARD)


@pytest.mark.parametrize("key", ["k" * 10**6, "\x1b[2Jk\n" * 1000])
def test_keys_are_cut_in_messages(attacked, key):
    attacked.table(lambda records: [{**records[0], "key": key}, *records[1:]])
    refused(attacked, PatchFormatError, SHARD, "row 0", "the key is not a plain file name")
    attacked.table(lambda records: [{**records[0], "key": key}] * 2)
    refused(attacked, PatchFormatError, SHARD, "keys are not unique")


def test_a_flipped_bit_in_a_page(attacked):
    data = bytearray(attacked.shard.read_bytes())
    data[data.index(b"BSDIFF40") + 500] ^= 4
    attacked.shard_bytes(bytes(data))
    refused(attacked, PatchFormatError, SHARD, "CRC")


def test_a_shard_that_is_not_what_the_manifest_describes(attacked):
    data = attacked.shard.read_bytes()
    attacked.shard.write_bytes(data[:-1] + b"x")
    refused(attacked, IntegrityError, SHARD, "sha256", "Download it again")
    attacked.shard.unlink()
    refused(attacked, NotFoundError, SHARD)
