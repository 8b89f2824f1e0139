"""Small releases of patches, made from synthetic images as the real ones are."""

from __future__ import annotations

import io
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from fornet_hf.format.encoding import Encoding
from fornet_hf.format.manifest import Manifest, ShardEntry, write_manifest
from fornet_hf.format.patch import Patch, make_patch
from fornet_hf.format.shards import write_shard

ENCODING = Encoding(max_side=64, dilation=2)
CLASSES = ("cat", "dog")
ROWS = 3
_PRODUCER = {"tool": "test"}


@dataclass(frozen=True)
class Release:
    """A folder `patches` with its manifest, and the images `imagenet` it was made from."""

    patches: Path
    imagenet: Path

    def shard(self, number: int) -> Path:
        """A shard of the split train."""
        return sorted(self.patches.glob("train-*.parquet"))[number]


def make_release(root: Path, *, shards: int = 3, changed: Collection[int] = (), name: str = "patches") -> Release:
    """A release of `shards` train shards and one validation shard with three rows each.

    Shards whose numbers are in `changed` have other masks, as a second version of a release would.
    """
    patches, imagenet = root / name, root / "imagenet"
    train = []
    for number in range(shards):
        path = f"train-{number:05}-of-{shards:05}.parquet"
        rows = [_patch(imagenet, "train", number * ROWS + row, number in changed) for row in range(ROWS)]
        train.append(_entry(patches, path, rows))
    path = "validation-00000-of-00001.parquet"
    validation = [_entry(patches, path, [_patch(imagenet, "val", row, False) for row in range(ROWS)])]
    splits = {"train": tuple(train), "validation": tuple(validation)}
    manifest = Manifest(encoding=ENCODING, splits=splits, source="pictures", classes=CLASSES, producer=_PRODUCER)
    write_manifest(patches, manifest)
    return Release(patches, imagenet)


def as_parquet(release: Release, target: Path) -> Path:
    """The images of a release as source shards like those of a Hub dataset; the folder."""
    for split in ("train", "validation"):
        for shard in sorted(release.patches.glob(f"{split}-*.parquet")):
            keys = pq.read_table(shard, columns=["key"]).column("key").to_pylist()
            found = [next(release.imagenet.rglob(f"{key}.JPEG")) for key in keys]
            images = [{"bytes": path.read_bytes(), "path": path.name} for path in found]
            labels = [CLASSES.index(path.parent.name) for path in found]
            (target / "data").mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.table({"image": images, "label": labels}), target / "data" / shard.name)
    return target


def _entry(patches: Path, path: str, rows: list[Patch]) -> ShardEntry:
    write_shard(patches / path, rows, ENCODING)
    return ShardEntry.of(patches, path, len(rows))


def _patch(imagenet: Path, split: str, number: int, changed: bool) -> Patch:
    label = number % len(CLASSES)
    key = f"{split}_{number}"
    file = imagenet / split / CLASSES[label] / f"{key}.JPEG"
    random = np.random.default_rng([number, split == "val"])
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        data = io.BytesIO()
        Image.fromarray(random.integers(0, 256, (48, 64, 3), dtype=np.uint8)).save(data, "JPEG")
        file.write_bytes(data.getvalue())
    mask = np.zeros((48, 64), dtype=bool)
    mask[10 : 30 + changed, 20:40] = True
    infilled = np.full((48, 64, 3), number, dtype=np.uint8)
    return make_patch(file.read_bytes(), mask, infilled, key=key, label=label, encoding=ENCODING)
