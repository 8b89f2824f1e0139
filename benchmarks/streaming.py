"""What streaming asks of the Hub: requests and bytes a sample, counted by the test Hub."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fornet_hf.format.encoding import Encoding
from fornet_hf.format.manifest import Manifest, ShardEntry, read_manifest, write_manifest
from fornet_hf.format.patch import Patch
from fornet_hf.format.shards import PatchShard, write_shard
from tests.local_hub.client import hub_environment, output_of
from tests.local_hub.server import running_hub
from tests.published import FORNET, IMAGENET, publish_release

SHARDS = 4
_READ = """
import json
from datasets.distributed import split_dataset_by_node
import fornet_hf

rows = fornet_hf.load_dataset("{repository}", split="train", streaming=True)
print(json.dumps(sum(1 for row in split_dataset_by_node(rows, {rank}, {ranks}))))
"""


def streamed(demo: Path, folder: Path, copies: int = 16) -> dict[str, Any]:
    """A release of four shards on a Hub, read whole by one process, and by one of two and one of three.

    Args:
        demo: what `make demo` made.
        folder: for the release and caches.
        copies: how often each image of the demo is in a shard.
    """
    release, sources = write_copies(demo, folder / "release", copies)
    sizes = {
        "source_bytes_a_row": sum(map(len, sources.values())) / sum(entry.rows for entry in release.splits["train"]),
        "patch_bytes_a_row": sum(entry.bytes / entry.rows for entry in release.splits["train"]) / SHARDS,
        "rows_of_a_shard": release.splits["train"][0].rows,
    }
    with running_hub() as hub:
        commit = hub.commit(IMAGENET, sources)
        write_manifest(folder / "release", dataclasses.replace(release, source_revision=commit))
        publish_release(hub, folder / "release")
        environment = hub_environment(hub.url, folder / "home")
        parts = {}
        for ranks in (1, 2, 3):
            hub.forget()
            code = _READ.format(repository=FORNET, rank=0, ranks=ranks)
            rows = json.loads(output_of(code, environment, cwd=folder, timeout=600))
            parts[f"rank 0 of {ranks}"] = summary(hub.requests, rows)
    return {"shards": SHARDS, **sizes, **parts}


def summary(records: list[Any], rows: int) -> dict[str, float]:
    """Requests and bytes a row of what was asked, and how many data files were opened."""
    data = [record for record in records if record.path.endswith(".parquet") and record.method == "GET"]
    return {
        "rows": rows,
        "requests": len(records),
        "requests_for_data": len(data),
        "shard_files_read": len({record.path for record in data}),
        "requests_a_row": len(records) / rows,
        "bytes_a_row": sum(record.sent for record in records) / rows,
    }


def write_copies(demo: Path, folder: Path, copies: int) -> tuple[Manifest, dict[str, bytes]]:
    """A release of copies of the demo's patches, and the source shards that belong to it, by path."""
    patches, encoding = _patches(demo)
    images = {path.stem: path for path in (demo / "pictures" / "train").rglob("*.JPEG")}
    entries, sources = [], {}
    for shard in range(SHARDS):
        name = f"train-{shard:05d}-of-{SHARDS:05d}.parquet"
        copied = [
            (dataclasses.replace(patch, key=f"{patch.key}{shard}{copy:03d}"), images[patch.key])
            for copy in range(copies)
            for patch in patches
        ]
        rows = write_shard(folder / name, [patch for patch, _ in copied], encoding)
        sources[f"data/{name}"] = source_shard(copied)
        entries.append(ShardEntry.of(folder, name, rows, f"data/{name}"))
    classes = read_manifest(demo / "made" / "patches").classes
    manifest = Manifest(encoding=encoding, splits={"train": tuple(entries)}, source=IMAGENET, classes=classes)
    return manifest, sources


def source_shard(rows: list[tuple[Patch, Path]]) -> bytes:
    """A Parquet file like those of ImageNet on the Hub, in row groups of 100."""
    images = [{"bytes": path.read_bytes(), "path": f"{patch.key}_{path.parent.name}.JPEG"} for patch, path in rows]
    image = pa.array(images, pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    buffer = io.BytesIO()
    table = pa.table({"image": image, "label": pa.array([patch.label for patch, _ in rows], pa.int64())})
    # Without a dictionary, which would keep a copied image only once.
    pq.write_table(table, buffer, row_group_size=100, use_dictionary=False, compression="NONE")
    return buffer.getvalue()


def _patches(demo: Path) -> tuple[list[Patch], Encoding]:
    (path,) = (demo / "made" / "patches").glob("train-*.parquet")
    shard = PatchShard(path, path.name)
    return [shard[number] for number in range(len(shard))], shard.encoding
