"""A release of patches, in the new or the old format, and the units of work in it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fornet_hf.classes import imagenet_classes
from fornet_hf.errors import NotFoundError, UnreachableError, explain
from fornet_hf.files import sha256_of
from fornet_hf.legacy import LegacyRelease, find_release
from fornet_hf.legacy.unit import FolderLegacyUnit, ShardLegacyUnit
from fornet_hf.locations import Folder, Location, Repository
from fornet_hf.manifest import MANIFEST, SPLITS, Manifest, ShardEntry, read_manifest
from fornet_hf.patch import digest
from fornet_hf.prepare import PatchUnit, Unit
from fornet_hf.sources import FolderSource, shard_names

IMAGENET = "ILSVRC/imagenet-1k"
_PLACES = ("", "patches/")  # where a manifest may be: a folder of shards, or a whole repository


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

    @property
    def source(self) -> Repository:
        """The repository of the pictures that the patches apply to, at the revision they were made from."""
        ...

    def fingerprint(self) -> str:
        """A short name for exactly this content; equal for equal releases in other places."""
        ...

    def units(
        self, split: str, pictures: Folder | Repository, *, streaming: bool = False, anew: bool = False
    ) -> Sequence[Unit]:
        """The work of preparing a split; without `streaming`, the files are downloaded first.

        With `anew` also those that the cache has.
        """
        ...


def open_release(location: Folder | Repository) -> Release:
    """The release at a place: new format if there is a manifest, else the old zips.

    Raises:
        NotFoundError: there is neither.
        PatchFormatError: what is there is damaged.
        AccessError, UnreachableError: the Hub does not hand it out.
    """
    for place in reversed(_PLACES) if isinstance(location, Repository) else _PLACES:
        try:
            file = location.fetch(place + MANIFEST)
        except NotFoundError:
            continue
        except UnreachableError:
            if not _has_zips(location):
                raise
            continue
        manifest = read_manifest(file.parent)
        if isinstance(location, Repository):
            location = location.pinned(file)
        return PatchRelease(location, place, manifest)
    names = location.names()
    if any(name.endswith(".zip") for name in names):
        return OldRelease(location, find_release(names))
    found = ", ".join(names[:5]) or "no files"
    allowed = f"patches/{MANIFEST} with its shards, or the old train_0.zip ... val.zip"
    raise NotFoundError(explain(f"no release of patches in {location}", found=found, allowed=allowed))


def _has_zips(location: Location) -> bool:
    """Whether zips are at the place, or in the cache if it cannot be reached."""
    with contextlib.suppress(UnreachableError):
        return any(name.endswith(".zip") for name in location.names())
    return False


@dataclass(frozen=True)
class PatchRelease:
    """A release in the new format; its shards are beside the manifest, in `place`."""

    location: Location
    place: str
    manifest: Manifest

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the classes in label order."""
        return self.manifest.classes or [one.name for one in imagenet_classes()]

    @property
    def splits(self) -> Sequence[str]:
        """The splits in the manifest."""
        return list(self.manifest.splits)

    @property
    def source(self) -> Repository:
        """What the manifest names."""
        return Repository(self.manifest.source, self.manifest.source_revision)

    def fingerprint(self) -> str:
        """The beginning of the manifest's digest, which covers the digest of every shard."""
        return sha256_of(self.location.fetch(self.place + MANIFEST))[:16]

    def units(
        self, split: str, pictures: Folder | Repository, *, streaming: bool = False, anew: bool = False
    ) -> Sequence[Unit]:
        """One unit for each patch shard."""
        entries = self.manifest.splits[split]
        sources = _sources(entries, split, pictures, streaming=streaming, anew=anew)
        paths = [self.place + entry.path for entry in entries]
        patches = _files(self.location, paths, "patches", streaming=streaming, anew=anew)
        folders = self.manifest.classes or tuple(one.wnid for one in imagenet_classes())
        return [
            PatchUnit(
                split=split,
                entry=entry,
                encoding=self.manifest.encoding,
                patches=patch,
                pictures=source,
                class_folders=folders,
            )
            for entry, patch, source in zip(entries, patches, sources, strict=True)
        ]


def _sources(
    entries: Sequence[ShardEntry], split: str, pictures: Folder | Repository, *, streaming: bool, anew: bool
) -> Sequence[str | FolderSource]:
    """For each patch shard where its pictures are: a folder of class folders, or the Parquet shard it names."""
    if folder := _class_folders(pictures, split):
        return [folder] * len(entries)
    names = [entry.source for entry in entries if entry.source is not None]
    if len(names) < len(entries):
        raise NotFoundError(
            explain(
                f"{pictures} has no pictures for {split!r}, and this release names no source shards",
                allowed="imagenet_dir=FOLDER with train/ and val/ and a folder for each class in them",
                then="To prepare one split alone, pass splits=['train'] or splits=['validation'].",
            )
        )
    try:
        return _files(pictures, names, "pictures", streaming=streaming, anew=anew)
    except NotFoundError as error:
        raise NotFoundError(
            explain(
                f"{pictures} is not the source that this release names ({split}: {names[0]} and others)",
                found=error,
                then="It may have been re-sharded since: use the revision in the manifest, or imagenet_dir=FOLDER.",
            )
        ) from error


def _files(place: Location, paths: Sequence[str], what: str, *, streaming: bool, anew: bool) -> list[str]:
    """Addresses to read from, or local copies."""
    return [*map(place.address, paths)] if streaming else place.fetch_all(paths, what, anew=anew)


def _class_folders(pictures: Folder | Repository, split: str) -> FolderSource | None:
    source = FolderSource(pictures.root) if isinstance(pictures, Folder) else None
    return source if source and source.has(split) else None


@dataclass(frozen=True)
class OldRelease:
    """A release in the old format: zips of pickles, in which the patch of a picture is found by its name."""

    location: Location
    files: LegacyRelease

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the 1000 classes of ImageNet: the old format knows no others."""
        return [one.name for one in imagenet_classes()]

    @property
    def splits(self) -> Sequence[str]:
        """The splits which have zips."""
        return [split for split in SPLITS if self.files.archives(split)]

    @property
    def source(self) -> Repository:
        """ImageNet-1k; the old format names no revision."""
        return Repository(IMAGENET)

    def fingerprint(self) -> str:
        """Of names and digests; of names and sizes in a folder, where the zips are too large to be read for this."""
        names = [name for split in SPLITS for name in self.files.archives(split)]
        return digest(repr((names, [*self.location.digests(names)])).encode()).hex()[:16]

    def units(
        self, split: str, pictures: Folder | Repository, *, streaming: bool = False, anew: bool = False
    ) -> Sequence[Unit]:
        """One unit for each zip if the pictures are a folder, else one for each of the source's shards."""
        names = self.files.archives(split)
        archives = _files(self.location, names, "patches", streaming=streaming, anew=anew)
        ratio_file = self.files.ratios(split)
        ratios = None if ratio_file is None else str(self.location.fetch(ratio_file))
        if folder := _class_folders(pictures, split):
            return [FolderLegacyUnit(split, archive, ratios, folder) for archive in archives]
        sources = shard_names(pictures.names(), split)
        files = _files(pictures, sources, "pictures", streaming=streaming, anew=anew)
        return [ShardLegacyUnit(split, tuple(archives), ratios, file) for file in files]
