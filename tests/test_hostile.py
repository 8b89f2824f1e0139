"""Hostile and damaged releases: each is a typed error that names the place, and never a wrong row.

An attack changes one thing in a good release. Changes of a shard are followed by a new digest in the manifest,
as an attacker would, so that it is not the digest that finds them.
"""

from __future__ import annotations

import bz2
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from fornet_hf import jpeg
from fornet_hf.delta import make_delta
from fornet_hf.errors import (
    ForNetError,
    IntegrityError,
    NotFoundError,
    PatchFormatError,
    SourceError,
)
from fornet_hf.locations import Folder
from fornet_hf.mask_png import encode_mask
from fornet_hf.raster import canonical_raster
from fornet_hf.release import open_release
from fornet_hf.shards import MAX_ROW_GROUP_ROWS, SCHEMA
from tests.pictures import file_of, picture, write_release
from tests.test_delta import bomb, delta, number
from tests.test_raster import png_header

SHARD = "train-00000-of-00001.parquet"
ROW, KEY = 1, "train_0_1"
PLACE = f"{SHARD}, row {ROW} ({KEY})"


@dataclass(frozen=True)
class Attacked:
    """A release under attack."""

    folder: Path
    pictures: Path

    @property
    def shard(self) -> Path:
        return self.folder / SHARD

    @property
    def source(self) -> Path:
        return self.pictures / "train/bee" / f"{KEY}.JPEG"

    def rows(self):
        release = open_release(Folder(self.folder))
        return [row for unit in release.units("train", Folder(self.pictures)) for row in unit.rows()]

    def manifest(self, change):
        """Change the JSON of the manifest in place."""
        value = json.loads((self.folder / "manifest.json").read_text())
        change(value)
        (self.folder / "manifest.json").write_text(json.dumps(value))

    def shard_bytes(self, data: bytes):
        """Replace the shard, and make the manifest agree."""
        self.shard.write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        self.manifest(lambda value: value["splits"]["train"][0].update(bytes=len(data), sha256=digest))

    def table(self, change, schema=None, **options):
        """Replace the shard by one with other records; `change` gets and returns a list of them."""
        old = pq.ParquetFile(self.shard).schema_arrow
        schema = old if schema is None else schema.with_metadata(old.metadata)
        records = change(pq.read_table(self.shard).to_pylist())
        table = pa.Table.from_pylist(records, schema=schema)
        pq.write_table(table, self.shard, use_dictionary=False, **options)
        self.shard_bytes(self.shard.read_bytes())


@pytest.fixture
def attacked(tmp_path):
    write_release(tmp_path / "patches", tmp_path / "pictures")
    return Attacked(tmp_path / "patches", tmp_path / "pictures")


def test_the_release_is_good_before_the_attack(attacked):
    assert len(attacked.rows()) == 3
    attacked.table(lambda records: records)
    assert len(attacked.rows()) == 3


def refused(attacked, error, *says):
    with pytest.raises(error) as caught:
        attacked.rows()
    assert type(caught.value) is error
    for part in says:
        assert part in str(caught.value), str(caught.value)
    assert len(str(caught.value)) < 1500


# --- one value in one row -----------------------------------------------------------------------------------

FLAT = png_header(60_000, 60_000)
VALUES = {
    "label negative": ({"label": -1}, PatchFormatError, "label -1"),
    "label without class": ({"label": 7}, PatchFormatError, "found 7; allowed: 0 to 1"),
    "label of another class": ({"label": 0}, NotFoundError, "no picture"),
    "ratio nan": ({"foreground_ratio": float("nan")}, PatchFormatError, "foreground_ratio"),
    "ratio above 1": ({"foreground_ratio": 2.0}, PatchFormatError, "foreground_ratio"),
    "ratio infinite": ({"foreground_ratio": float("-inf")}, PatchFormatError, "foreground_ratio"),
    "ratio not that of the mask": ({"foreground_ratio": 0.5}, PatchFormatError, "does not fit the mask"),
    "box outside": ({"box": [0, 0, 80, 96]}, PatchFormatError, "box"),
    "box oversized": ({"box": [0, 0, 65535, 65535]}, PatchFormatError, "box"),
    "box unaligned": ({"box": [1, 0, 64, 64]}, PatchFormatError, "box"),
    "box empty": ({"box": [16, 16, 16, 32]}, PatchFormatError, "box"),
    "box turned over": ({"box": [48, 48, 16, 16]}, PatchFormatError, "box"),
    "box elsewhere": ({"box": [0, 0, 16, 16]}, PatchFormatError, "mask"),
    "box without mask": ({"mask": None}, PatchFormatError, "do not go together"),
    "delta without digest": ({"target_sha256": None}, PatchFormatError, "do not go together"),
    "nothing": (dict.fromkeys(("box", "mask", "delta", "target_sha256")), PatchFormatError, "do not go together"),
    "width zero": ({"width": 0}, PatchFormatError, "0 x 80"),
    "height huge": ({"height": 65535}, PatchFormatError, "70 x 65535"),
    "size of another picture": (
        {"width": 80, "box": None, "mask": None, "foreground_ratio": 0.0},
        PatchFormatError,
        "size",
    ),
    "source digest": ({"source_sha256": bytes(32)}, IntegrityError, "not the one"),
    "prediction digest": ({"prediction_sha256": bytes(32)}, IntegrityError, "prediction differs"),
    "target digest": ({"target_sha256": bytes(32)}, IntegrityError, "does not give its background"),
    "mask not a png": ({"mask": b"GIF89a"}, PatchFormatError, "mask"),
    "mask of another size": ({"mask": encode_mask(np.ones((9, 9), bool))}, PatchFormatError, "mask"),
    "mask in color": ({"mask": file_of(picture(64, 64), "PNG")}, PatchFormatError, "mask"),
    "mask bomb": ({"mask": FLAT}, PatchFormatError, "mask"),
    "mask of nothing": (
        {"mask": encode_mask(np.zeros((64, 64), bool)), "box": [0, 0, 64, 64]},
        PatchFormatError,
        "no pixel",
    ),
    "delta empty": ({"delta": b""}, PatchFormatError, "delta"),
    "delta of other files": ({"delta": make_delta(b"one" * 9, b"two" * 9)}, IntegrityError, "background"),
    "delta with other magic": ({"delta": delta(magic=b"BSDIFF41")}, PatchFormatError, "delta"),
    "delta declares 2**40 bytes": ({"delta": delta(size=2**40)}, PatchFormatError, "1099511627776"),
    "delta declares -1 bytes": ({"delta": delta(size=-1)}, PatchFormatError, "-1 bytes"),
    "delta with a bomb for control": ({"delta": delta(blocks=[bomb(10**7), b"", b""])}, PatchFormatError, "control"),
    "delta with a bomb for difference": (
        {"delta": delta(blocks=[bz2.compress(bytes(24)), bomb(10**7), b""])},
        PatchFormatError,
        "difference",
    ),
    "delta with a bomb for extra": (
        {"delta": delta(blocks=[bz2.compress(bytes(24)), bz2.compress(b""), bomb(10**7)])},
        PatchFormatError,
        "extra",
    ),
    "delta reads before": ({"delta": delta([(2, 0, -9), (2, 2, 0)])}, PatchFormatError, "outside"),
    "delta reads behind": ({"delta": delta([(2, 0, 10**6), (2, 2, 0)])}, PatchFormatError, "outside"),
    "delta copies -4 bytes": ({"delta": delta([(-4, 2, 0)])}, PatchFormatError, "outside"),
    "delta that does not add up": ({"delta": delta([(4, 1, 0)])}, PatchFormatError, "add up"),
    "delta with blocks beyond its end": (
        {"delta": b"BSDIFF40" + number(2**40) + number(9) + number(9)},
        PatchFormatError,
        "impossible",
    ),
}


@pytest.mark.parametrize("name", VALUES)
def test_values(attacked, name):
    changes, error, says = VALUES[name]
    attacked.table(lambda records: [{**r, **(changes if r["key"] == KEY else {})} for r in records])
    refused(attacked, error, PLACE, says)


@pytest.mark.parametrize("key", ["a/b", "..", "../../etc/passwd", "a\0b", "", "a\\b", "C:", "x" * 300, "con\n"])
def test_keys(attacked, key):
    attacked.table(lambda records: [{**r, "key": key if r["key"] == KEY else r["key"]} for r in records])
    refused(attacked, PatchFormatError, SHARD, "row 1", "key")


def test_a_key_of_no_picture(attacked):
    attacked.table(lambda records: [{**r, "key": "other" if r["key"] == KEY else r["key"]} for r in records])
    refused(attacked, NotFoundError, SHARD, "row 1 (other)", "no picture")


def test_keys_that_come_twice(attacked):
    attacked.table(lambda records: [records[0], records[1], records[1]])
    refused(attacked, PatchFormatError, SHARD, "not unique", KEY)


@pytest.mark.parametrize("column", ["delta", "mask"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_cut_off_parts(attacked, column, share):
    def change(records):
        return [
            {**r, column: r[column][: int(share * len(r[column]))] if r["key"] == KEY else r[column]} for r in records
        ]

    attacked.table(change)
    refused(attacked, PatchFormatError, PLACE, column)


BACKGROUNDS = {
    "text": lambda raster: b"<html>",
    "jpeg of another size": lambda raster: jpeg.encode(picture(16, 16)),
    "jpeg of other settings": lambda raster: file_of(raster, quality=50),
    "jpeg with bytes behind it": lambda raster: jpeg.encode(raster) + b"PK\3\4",
    "jpeg cut off": lambda raster: jpeg.encode(raster)[:-40],
}


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_backgrounds_with_the_right_digest(attacked, name):
    raster = canonical_raster(attacked.source.read_bytes(), 128)
    target = BACKGROUNDS[name](raster)
    changes = {"delta": make_delta(jpeg.encode(raster), target), "target_sha256": hashlib.sha256(target).digest()}
    attacked.table(lambda records: [{**r, **(changes if r["key"] == KEY else {})} for r in records])
    refused(attacked, PatchFormatError, PLACE, "JPEG")


def test_every_value_of_another_row_is_noticed(attacked):
    records = pq.read_table(attacked.shard).to_pylist()
    for column in SCHEMA.names:
        if column not in ("key", "height", "label"):
            attacked.table(lambda _, c=column: [records[0], {**records[1], c: records[2][c]}, records[2]])
            refused_any(attacked)


def refused_any(attacked):
    with pytest.raises(ForNetError, match=SHARD):
        attacked.rows()


# --- the shard as a file ------------------------------------------------------------------------------------


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


# --- the manifest -------------------------------------------------------------------------------------------


def entry(**changes):
    return lambda value: value["splits"]["train"][0].update(changes)


def top(**changes):
    return lambda value: value.update(changes)


MANIFESTS = {
    "path up": (entry(path="../train.parquet"), "path"),
    "path absolute": (entry(path="/etc/passwd"), "path"),
    "path with backslash": (entry(path="a\\b"), "path"),
    "path url": (entry(path="https://host/x.parquet"), "path"),
    "path hidden": (entry(path=".git/config"), "path"),
    "path long": (entry(path="a" * 5000), "path"),
    "path with NUL": (entry(path="a\0b"), "path"),
    "path of no text": (entry(path=7), "path"),
    "source up": (entry(source="../../x.parquet"), "source"),
    "rows wrong": (entry(rows=2), "rows"),
    "rows negative": (entry(rows=-3), "rows"),
    "rows text": (entry(rows="3"), "rows"),
    "digest short": (entry(sha256="abc"), "sha256"),
    "entry with more": (entry(command="rm"), "wrong type"),
    "entry a list": (lambda value: value["splits"].update(train=[[1, 2]]), "wrong type"),
    "shard twice": (lambda value: value["splits"].update(validation=value["splits"]["train"]), "twice"),
    "splits empty": (top(splits={}), "splits"),
    "splits unknown": (top(splits={"test": []}), "splits"),
    "splits a list": (top(splits=[]), "wrong type"),
    "classes twice": (top(classes=["ant", "ant"]), "twice"),
    "classes text": (top(classes="ant"), "wrong type"),
    "classes numbers": (top(classes=[1, 2]), "wrong type"),
    "class that is a path": (top(classes=["ant", "../bee"]), "class"),
    "class with half a character": (top(classes=["ant", "\ud800"]), "class"),
    "format other": (top(format="parquet"), "no manifest"),
    "format version": (top(format_version=2), "unknown format version; found 2; allowed: 1"),
    "format version text": (top(format_version="1"), "unknown format version"),
    "name more": (top(post_install="rm"), "post_install"),
    "name less": (lambda value: value.pop("encoding"), "encoding"),
    "encoding quality": (lambda value: value["encoding"].update(quality=10), "encoding.quality"),
    "encoding side": (lambda value: value["encoding"].update(max_side=10**9), "encoding.max_side"),
    "encoding nan": (lambda value: value["encoding"].update(dilation=float("nan")), "encoding.dilation"),
    "encoding null": (top(encoding=None), "encoding"),
    "producer text": (top(producer="me"), "wrong type"),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifests(attacked, name):
    change, says = MANIFESTS[name]
    attacked.manifest(change)
    refused(attacked, PatchFormatError, says, SHARD if name == "rows wrong" else "manifest.json")


TEXTS = {
    "empty": b"",
    "cut": b'{"format": "fornet-patches", "form',
    "nested deep": b"[" * 10**6,
    "not UTF-8": b'{"format": "\xff"}',
    "number of 5000 digits": b'{"format": ' + b"9" * 5000 + b"}",
    "list": b"[]",
    "null": b"null",
    "17 MB": b" " * (17 * 2**20),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_for_a_manifest(attacked, name):
    (attacked.folder / "manifest.json").write_bytes(TEXTS[name])
    refused(attacked, PatchFormatError, "manifest.json")


# --- the source ---------------------------------------------------------------------------------------------


def resaved(data):
    return file_of(Image.fromarray(np.asarray(canonical_raster(data, 128))), quality=95)


SOURCES = {
    "another picture": lambda data: file_of(picture(70, 80, seed=9)),
    "the same saved again": resaved,
    "cut off": lambda data: data[:-100],
    "one bit": lambda data: data[:900] + bytes([data[900] ^ 1]) + data[901:],
    "bytes behind": lambda data: data + b"\0",
    "empty": lambda data: b"",
}


@pytest.mark.parametrize("name", SOURCES)
def test_other_sources(attacked, name):
    attacked.source.write_bytes(SOURCES[name](attacked.source.read_bytes()))
    refused(attacked, IntegrityError, PLACE, "the source picture is not the one")


HOSTILE_SOURCES = {
    "bomb": (png_header(10**5, 10**5), SourceError, "source picture"),
    "text": (b"text", SourceError, "JPEG, PNG, WEBP, BMP"),
    "gif": (file_of(picture(70, 80), "GIF"), SourceError, "source picture"),
    "cut jpeg": (file_of(picture(70, 80))[:800], SourceError, "source picture"),
    "other size": (file_of(picture(80, 70)), PatchFormatError, "(80, 70); allowed: (70, 80)"),
    "other pixels": (file_of(picture(70, 80, seed=9)), IntegrityError, "prediction differs"),
}


@pytest.mark.parametrize("name", HOSTILE_SOURCES)
def test_sources_with_the_right_digest(attacked, name):
    data, error, says = HOSTILE_SOURCES[name]
    attacked.source.write_bytes(data)
    changes = {"source_sha256": hashlib.sha256(data).digest()}
    attacked.table(lambda records: [{**r, **(changes if r["key"] == KEY else {})} for r in records])
    refused(attacked, error, PLACE, says)


# --- everywhere ---------------------------------------------------------------------------------------------


def mutated(data, generator):
    """One to four random damages: flipped bits, overwritten runs, cuts, doubled parts."""
    data = bytearray(data)
    for _ in range(generator.integers(1, 5)):
        at, length = int(generator.integers(len(data))), int(generator.integers(1, 64))
        match generator.integers(5):
            case 0 | 1:
                data[at] ^= 1 << int(generator.integers(8))
            case 2:
                data[at : at + length] = generator.bytes(len(data[at : at + length]))
            case 3:
                del data[at : at + length]
            case 4:
                data[at:at] = data[at : at + length]
    return bytes(data)


@pytest.mark.parametrize("seed", range(60))
def test_random_damage_is_an_error_or_changes_nothing(attacked, seed):
    good = attacked.rows()
    attacked.shard_bytes(mutated(attacked.shard.read_bytes(), np.random.default_rng(seed)))
    try:
        rows = attacked.rows()
    except ForNetError as error:
        rows = str(error)
    assert SHARD in rows if isinstance(rows, str) else rows == good
