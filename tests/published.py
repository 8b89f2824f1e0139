"""A small release in a Hub repository, and the gated source dataset that it was made from."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fornet_hf.format.manifest import Manifest, ShardEntry, write_manifest
from fornet_hf.format.patch import Patch, make_patch
from fornet_hf.format.shards import write_shard
from tests.images import ENCODING, disc, file_of, infilled, made_image
from tests.local_hub.state import Hub

FORNET, IMAGENET = "TNauen/ForNet", "ILSVRC/imagenet-1k"
SHARDS = {"train": 3, "validation": 1}
ROWS = 5  # images of a shard; the last of each has no patch
WNIDS = ("n01440764", "n01443537")  # labels 0 and 1
ROOT = Path(__file__).parents[1]


def key_of(split: str, number: int) -> str:
    return f"{WNIDS[number % 2]}_{number}" if split == "train" else f"ILSVRC2012_val_{number:08d}"


def source_of(split: str, number: int) -> bytes:
    return file_of(made_image(64 + number, 48, seed=number + 100 * (split == "train")))


def patch_of(split: str, number: int, strength: int = 0) -> Patch:
    """The patch of an image; another `strength` gives another infilling."""
    source = source_of(split, number)
    filled = infilled(source) + strength
    mask = disc(64 + number, 48)
    return make_patch(source, mask, filled, key=key_of(split, number), label=number % 2, encoding=ENCODING)


def source_shard(split: str, shard: int) -> bytes:
    """A Parquet file like those of `ILSVRC/imagenet-1k`."""
    numbers = range(shard * ROWS, (shard + 1) * ROWS)
    images = [
        {"bytes": source_of(split, n), "path": f"{key_of(split, n)}_{WNIDS[n % 2]}.JPEG".replace("__", "_")}
        for n in numbers
    ]
    image = pa.array(images, pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    table = pa.table({"image": image, "label": pa.array([n % 2 for n in numbers], pa.int64())})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def shard_name(split: str, shard: int) -> str:
    return f"{split}-{shard:05d}-of-{SHARDS[split]:05d}.parquet"


def write_release(folder: Path, revision: str | None, strength: int = 0) -> Manifest:
    """A release as `create_patches` leaves it: shards and manifest in one folder."""
    splits = {}
    for split, count in SHARDS.items():
        entries = []
        for shard in range(count):
            patches = [patch_of(split, n, strength) for n in range(shard * ROWS, (shard + 1) * ROWS - 1)]
            name = shard_name(split, shard)
            rows = write_shard(folder / name, patches, ENCODING)
            entries.append(ShardEntry.of(folder, name, rows, f"data/{name}"))
        splits[split] = tuple(entries)
    manifest = Manifest(encoding=ENCODING, splits=splits, source=IMAGENET, source_revision=revision)
    write_manifest(folder, manifest)
    return manifest


def publish_source(hub: Hub, name: str = IMAGENET) -> str:
    """The source dataset; returns its commit."""
    hub.create_repo(name)
    files = {f"data/{shard_name(split, n)}": source_shard(split, n) for split in SHARDS for n in range(SHARDS[split])}
    return hub.commit(name, files)


def publish_release(hub: Hub, folder: Path, name: str = FORNET) -> str:
    """Script and patches; returns the commit. (What `build/publish.py` does is tested elsewhere.)"""
    hub.create_repo(name)
    files: dict[str, bytes | Path] = {f"patches/{path.name}": path for path in folder.iterdir()}
    return hub.commit(name, {**files, "ForNet.py": ROOT / "ForNet.py"})
