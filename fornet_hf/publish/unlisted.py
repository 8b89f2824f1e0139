"""The manifest for a folder of patch shards that has none, from the shards themselves."""

from __future__ import annotations

from pathlib import Path

from fornet_hf.errors import NotFoundError, PatchFormatError, explain
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.manifest import SPLITS, Manifest, ShardEntry
from fornet_hf.format.shards import PatchShard
from fornet_hf.sources import shard_files


def make_manifest(folder: Path, source: str, revision: str) -> Manifest:
    """The manifest of all splits whose shards, `train-00000-of-00294.parquet` on, are in a folder.

    Args:
        folder: of the shards.
        source: repository whose shards in `data/` have the same names.
        revision: commit of that repository.

    Raises:
        NotFoundError: no shards, or a shard is missing.
        PatchFormatError: a shard is damaged, or they were made with different settings.
    """
    encodings: dict[Encoding, str] = {}
    splits: dict[str, tuple[ShardEntry, ...]] = {}
    for split in SPLITS:
        if any(folder.glob(f"{split}-*.parquet")):
            splits[split] = tuple(_entry(path, encodings) for path in shard_files(folder, split))
    if not splits:
        allowed = f"{SPLITS[0]}-00000-of-NNNNN.parquet, ..."
        raise NotFoundError(explain(f"{folder}: no patch shards", allowed=allowed))
    if len(encodings) > 1:
        found = "; ".join(f"{name}: {encoding}" for encoding, name in encodings.items())
        raise PatchFormatError(
            explain(f"{folder}: shards with different settings", found=found, allowed="one setting")
        )
    return Manifest(encoding=next(iter(encodings)), splits=splits, source=source, source_revision=revision)


def _entry(path: Path, encodings: dict[Encoding, str]) -> ShardEntry:
    shard = PatchShard(path, path.name)
    encodings.setdefault(shard.encoding, path.name)
    return ShardEntry.of(path.parent, path.name, len(shard), f"data/{path.name}")
