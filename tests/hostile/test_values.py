"""Hostile values in one row: a typed error that names the place, and never a wrong row."""

from __future__ import annotations

import bz2
import hashlib

import numpy as np
import pyarrow.parquet as pq
import pytest

from fornet_hf.errors import (
    IntegrityError,
    NotFoundError,
    PatchFormatError,
)
from fornet_hf.format import jpeg
from fornet_hf.format.delta import make_delta
from fornet_hf.format.masks import encode_mask
from fornet_hf.format.raster import canonical_raster
from fornet_hf.format.shards import SCHEMA
from tests.format.test_delta import bomb, delta, number
from tests.format.test_raster import png_header
from tests.hostile.attacked import KEY, PLACE, SHARD, refused, refused_any
from tests.images import file_of, made_image

FLAT = png_header(60_000, 60_000)
VALUES = {
    "label negative": ({"label": -1}, PatchFormatError, "label -1"),
    "label without class": ({"label": 7}, PatchFormatError, "found 7; allowed: 0 to 1"),
    "label of another class": ({"label": 0}, NotFoundError, "no image"),
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
    "size of another image": (
        {"width": 80, "box": None, "mask": None, "foreground_ratio": 0.0},
        PatchFormatError,
        "size",
    ),
    "source digest": ({"source_sha256": bytes(32)}, IntegrityError, "not the one"),
    "prediction digest": ({"prediction_sha256": bytes(32)}, IntegrityError, "prediction differs"),
    "target digest": ({"target_sha256": bytes(32)}, IntegrityError, "does not give its background"),
    "mask not a png": ({"mask": b"GIF89a"}, PatchFormatError, "mask"),
    "mask of another size": ({"mask": encode_mask(np.ones((9, 9), bool))}, PatchFormatError, "mask"),
    "mask in color": ({"mask": file_of(made_image(64, 64), "PNG")}, PatchFormatError, "mask"),
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


def test_a_key_of_no_image(attacked):
    attacked.table(lambda records: [{**r, "key": "other" if r["key"] == KEY else r["key"]} for r in records])
    refused(attacked, NotFoundError, SHARD, "row 1 (other)", "no image")


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
    "jpeg of another size": lambda raster: jpeg.encode(made_image(16, 16)),
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
