"""A good release, and ways to change one thing in it.

Changes of a shard are followed by a new digest in the manifest, as an attacker would, so that it is not the digest
that finds them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fornet_hf.errors import (
    ForNetError,
)
from fornet_hf.hub.location import Folder
from fornet_hf.release.release import open_release

SHARD = "train-00000-of-00001.parquet"
ROW, KEY = 1, "train_0_1"
PLACE = f"{SHARD}, row {ROW} ({KEY})"


@dataclass(frozen=True)
class Attacked:
    """A release under attack."""

    folder: Path
    images: Path

    @property
    def shard(self) -> Path:
        return self.folder / SHARD

    @property
    def source(self) -> Path:
        return self.images / "train/bee" / f"{KEY}.JPEG"

    def rows(self):
        release = open_release(Folder(self.folder))
        return [row for unit in release.units("train", Folder(self.images)) for row in unit.rows()]

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


def refused(attacked, error, *says):
    with pytest.raises(error) as caught:
        attacked.rows()
    assert type(caught.value) is error
    for part in says:
        assert part in str(caught.value), str(caught.value)
    assert len(str(caught.value)) < 1500


def refused_any(attacked):
    with pytest.raises(ForNetError, match=SHARD):
        attacked.rows()
