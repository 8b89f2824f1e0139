"""A release of patches in a folder, in the new or the old format, and the units of work in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fornet_hf.classes import imagenet_classes
from fornet_hf.errors import NotFoundError, explain
from fornet_hf.files import sha256_of
from fornet_hf.legacy import find_release
from fornet_hf.legacy.unit import LegacyUnit
from fornet_hf.manifest import MANIFEST, SPLITS, Manifest, ShardEntry, read_manifest
from fornet_hf.patch import digest
from fornet_hf.prepare import PatchUnit, Unit
from fornet_hf.sources import FolderSource


class Release(Protocol):
    """What the builder needs to know of a release."""

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the classes in label order."""
        ...

    @property
    def splits(self) -> Sequence[str]:
        """The splits in it: `train`, `validation` or both."""
        ...

    def fingerprint(self) -> str:
        """A short name for exactly this content; equal for equal releases in other places."""
        ...

    def units(self, split: str, imagenet_dir: Path) -> Sequence[Unit]:
        """The work of preparing a split from the pictures in a folder."""
        ...


def open_release(folder: Path) -> Release:
    """The release in a folder: new format if it, or its `patches/`, has a manifest, else the old zips.

    Raises:
        NotFoundError: the folder holds neither.
        PatchFormatError: what it holds is damaged.
    """
    for candidate in (folder, folder / "patches"):
        if (candidate / MANIFEST).is_file():
            return PatchRelease(candidate, read_manifest(candidate))
    if folder.is_dir() and any(folder.glob("*.zip")):
        return OldRelease(folder)
    allowed = f"{MANIFEST} with shards beside it, or the old train_0.zip ... val.zip"
    raise NotFoundError(explain(f"no release of patches in {folder}", found=_listing(folder), allowed=allowed))


def _listing(folder: Path) -> str:
    if not folder.is_dir():
        return "no such folder"
    names = sorted(path.name for path in folder.iterdir())
    return ", ".join(names[:5]) + (" ..." if len(names) > 5 else "") if names else "an empty folder"


@dataclass(frozen=True)
class PatchRelease:
    """A release in the new format."""

    folder: Path
    manifest: Manifest

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the classes in label order."""
        return self.manifest.classes or [one.name for one in imagenet_classes()]

    @property
    def splits(self) -> Sequence[str]:
        """The splits in the manifest."""
        return list(self.manifest.splits)

    def fingerprint(self) -> str:
        """The beginning of the manifest's digest: it names the digest of every shard."""
        return sha256_of(self.folder / MANIFEST)[:16]

    def units(self, split: str, imagenet_dir: Path) -> Sequence[Unit]:
        """One unit for each patch shard."""
        folders = self.manifest.classes or tuple(one.wnid for one in imagenet_classes())
        return [self._unit(split, entry, imagenet_dir, folders) for entry in self.manifest.splits[split]]

    def _unit(self, split: str, entry: ShardEntry, imagenet_dir: Path, folders: tuple[str, ...]) -> Unit:
        return PatchUnit(
            split=split,
            entry=entry,
            encoding=self.manifest.encoding,
            patches=str(self.folder / entry.path),
            pictures=_pictures(imagenet_dir, split, entry),
            class_folders=folders,
        )


def _pictures(imagenet_dir: Path, split: str, entry: ShardEntry) -> str | FolderSource:
    """The source of a shard: the folder of pictures, or the Parquet file of the same name."""
    if entry.source is not None and (imagenet_dir / entry.source).is_file():
        return str(imagenet_dir / entry.source)
    return _folder_source(imagenet_dir, split, entry.source)


def _folder_source(imagenet_dir: Path, split: str, parquet: str | None = None) -> FolderSource:
    source = FolderSource(imagenet_dir)
    if source.has(split):
        return source
    allowed = "train/ and val/ with a folder for each class" + (f", or {parquet}" if parquet else "")
    raise NotFoundError(
        explain(
            f"imagenet_dir={str(imagenet_dir)!r} has no pictures for {split!r}",
            found=_listing(imagenet_dir),
            allowed=allowed,
            then="To prepare one split alone, pass splits=['train'] or splits=['validation'].",
        )
    )


@dataclass(frozen=True)
class OldRelease:
    """A release in the old format: zips of pickles. Its sources are found by name, so they must be a folder."""

    folder: Path

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the 1000 classes of ImageNet: the old format knows no others."""
        return [one.name for one in imagenet_classes()]

    @property
    def splits(self) -> Sequence[str]:
        """The splits which have zips."""
        release = find_release(self.folder)
        return [split for split in SPLITS if release.archives(split)]

    def fingerprint(self) -> str:
        """Of names and sizes: the zips have no manifest, and are too large to be read for this."""
        release = find_release(self.folder)
        files = [path for split in SPLITS for path in release.archives(split)]
        return digest(repr([(path.name, path.stat().st_size) for path in files]).encode()).hex()[:16]

    def units(self, split: str, imagenet_dir: Path) -> Sequence[Unit]:
        """One unit for each zip."""
        release, source = find_release(self.folder), _folder_source(imagenet_dir, split)
        ratios = release.ratios(split)
        return [LegacyUnit(split, path, ratios, source) for path in release.archives(split)]
