"""A release of patches: opened in whichever format it is, and the new format."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from fornet_hf.errors import NotFoundError, PatchFormatError, UnreachableError, explain
from fornet_hf.files import sha256_of
from fornet_hf.format.manifest import MANIFEST, PATCHES, Manifest, manifest_in, read_manifest, write_manifest
from fornet_hf.format.shards import PatchShard
from fornet_hf.hub.errors import Token
from fornet_hf.hub.listing import Listing
from fornet_hf.hub.location import Folder, Location, Place, Repository
from fornet_hf.hub.transfer import open_file, snapshot_commit
from fornet_hf.release.images import files_of, sources_of
from fornet_hf.release.interface import BACKGROUNDS, FOREGROUNDS, Listed, Release, short_digest
from fornet_hf.release.legacy import OldRelease, find_release
from fornet_hf.release.units import PatchUnit, Unit
from fornet_hf.sources import Columns

__all__ = ["Listed", "OldRelease", "PatchRelease", "Release", "open_release", "release_in"]


def open_release(location: Folder | Repository) -> Release:
    """Return the release at a place: new format if there is a manifest, else the old zips.

    Raises:
        NotFoundError: there is neither.
        PatchFormatError: what is there is damaged.
        AccessError, UnreachableError: the Hub does not hand it out.
    """
    for prefix in _prefixes(location):
        try:
            file = location.fetch(prefix + MANIFEST)
        except NotFoundError:
            continue
        except UnreachableError as error:
            if {prefix + MANIFEST for prefix in _prefixes(location)} & _listed(location, error).files.keys():
                raise
            break
        return PatchRelease(location.at(snapshot_commit(file)), prefix, read_manifest(file.parent))
    listing = location.listing()
    if any(name.endswith(".zip") for name in listing.files):
        return OldRelease(location.at(listing.commit), listing, find_release([*listing.files]))
    found = ", ".join([*listing.files][:5]) or "no files"
    allowed = f"patches/{MANIFEST} with its shards, or the old train_0.zip ... val.zip"
    raise NotFoundError(explain(f"no release of patches in {location}", found=found, allowed=allowed))


def release_in(place: Place) -> PatchRelease:
    """Return the release in the new format of a place whose files are listed already.

    Raises:
        NotFoundError: there is no manifest.
        PatchFormatError: it does not follow the format.
    """
    for prefix in _prefixes(place.location):
        if (path := prefix + MANIFEST) in place.paths:
            with place.open(path) as file:
                return PatchRelease(place.location, prefix, manifest_in(file, path))
    then = "Old releases (zips) have none: build/import_release.py converts them."
    raise NotFoundError(explain(f"{place.name}: no release of patches", found=f"no {MANIFEST}", then=then))


def _prefixes(location: Location) -> tuple[str, str]:
    """Return what may stand before the patches' paths: nothing in their own folder, `patches/` in a repository."""
    own, whole = "", f"{PATCHES}/"
    return (own, whole) if isinstance(location, Folder) else (whole, own)


def _listed(location: Location, error: UnreachableError) -> Listing:
    """Return all files of a place whose manifest cannot be had: only they tell whether it has one."""
    try:
        return location.listing()
    except UnreachableError:
        then = "Else load it once with the network, or give patches= the folder of a complete download."
        raise UnreachableError(f"{error} {then}") from error


@dataclass(frozen=True)
class PatchRelease(Release):
    """A release in the new format; `prefix` stands before the paths of its manifest and shards."""

    prefix: str
    manifest: Manifest

    @property
    def splits(self) -> Sequence[str]:
        """The splits in the manifest."""
        return list(self.manifest.splits)

    @property
    def classes(self) -> Sequence[str] | None:
        """The classes in the manifest."""
        return self.manifest.classes

    @property
    def source(self) -> Repository:
        """The repository that the manifest names.

        Raises:
            NotFoundError: it names a folder.
        """
        if any(entry.source is None for entry in self.manifest.shards):
            what = f"these patches were made from a folder of images, {self.manifest.source!r}, so they need one"
            allowed = "imagenet_dir=FOLDER with train/ and val/ and a folder for each class in them"
            raise NotFoundError(explain(what, found="no imagenet_dir", allowed=allowed))
        return Repository(self.manifest.source, self.manifest.source_revision)

    @property
    def names_images(self) -> bool:
        """Yes: the format demands it."""
        return True

    def fingerprint(self, split: str | None = None) -> str:
        """Return the beginning of a digest of the manifest, which has the digest of every shard."""
        if split is None:
            return sha256_of(self.location.fetch(self.prefix + MANIFEST))[:16]
        return short_digest((self.manifest.encoding, self.manifest.classes, self.manifest.splits[split]))

    def files(self, split: str) -> list[str]:
        """Return the paths of a split's shards."""
        return [self.prefix + entry.path for entry in self.manifest.splits[split]]

    def units(
        self, split: str, images: Folder | Repository, *, streaming: bool = False, anew: bool = False
    ) -> Sequence[Unit]:
        """Return one unit for each patch shard."""
        entries = self.manifest.splits[split]
        sources = sources_of(entries, split, images, streaming=streaming, anew=anew)
        patches = files_of(self.location, self.files(split), "patches", streaming=streaming, anew=anew)
        columns = Columns.of_release(self.manifest.producer)
        return [
            PatchUnit(
                split=split,
                entry=entry,
                encoding=self.manifest.encoding,
                patches=patch,
                images=source,
                class_folders=self.class_folders,
                columns=columns,
            )
            for entry, patch, source in zip(entries, patches, sources, strict=True)
        ]

    def count(self, split: str) -> int:
        """Return what the manifest says."""
        return sum(entry.rows for entry in self.manifest.splits[split])

    def listing(self, split: str, token: Token = None) -> Iterator[Listed]:
        """Yield all images with their parts, which the shards tell.

        Raises:
            PatchFormatError: a shard does not follow the format, or is damaged.
        """
        folders = self.class_folders
        columns = {"box": FOREGROUNDS, "target_sha256": BACKGROUNDS}  # null without the part
        for path in self.files(split):
            with open_file(self.location.address(path), token) as file:
                shard = PatchShard(file, path)
                table = shard.columns("label", *columns)
            present = {part: table.column(name).is_valid().to_pylist() for name, part in columns.items()}
            for row, (key, label) in enumerate(zip(shard.keys, table.column("label").to_pylist(), strict=True)):
                if not 0 <= label < len(folders):
                    allowed = f"0 to {len(folders) - 1}"
                    raise PatchFormatError(explain(f"{shard.place(row)}: label", found=label, allowed=allowed))
                yield Listed(folders[label], key, frozenset(part for part in present if present[part][row]))

    def listed(self, split: str, names: Collection[tuple[str, str]], token: Token = None) -> Iterator[Listed]:
        """Yield those of the listing."""
        return (one for one in self.listing(split, token) if (one.folder, one.key) in names)

    def forget(self, splits: Sequence[str]) -> list[str]:
        """Leave the other splits in the manifest; it goes when there are none."""
        rest = {split: shards for split, shards in self.manifest.splits.items() if split not in splits}
        manifest = self.location.fetch(self.prefix + MANIFEST)
        if rest:
            write_manifest(manifest.parent, dataclasses.replace(self.manifest, splits=rest))
        return [] if rest else [self.prefix + MANIFEST]
