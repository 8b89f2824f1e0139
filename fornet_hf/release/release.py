"""A release of patches, in the new or the old format, and the units of work in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fornet_hf.classes import imagenet_classes
from fornet_hf.errors import NotFoundError, UnreachableError, explain
from fornet_hf.files import sha256_of
from fornet_hf.format.manifest import MANIFEST, SPLITS, Manifest, read_manifest
from fornet_hf.format.patch import digest
from fornet_hf.hub.listing import Listing
from fornet_hf.hub.location import Folder, Location, Repository
from fornet_hf.hub.transfer import snapshot_commit
from fornet_hf.release.images import all_shards, class_folders, files_of, sources_of
from fornet_hf.release.legacy import LegacyRelease, find_release
from fornet_hf.release.legacy.unit import FolderLegacyUnit, ShardLegacyUnit
from fornet_hf.release.units import PatchUnit, Unit
from fornet_hf.sources import Columns

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
        """The repository of the images that the patches apply to, at the revision they were made from."""
        ...

    @property
    def names_images(self) -> bool:
        """Whether every patch has the digest of its image, so that no other can be taken for it."""
        ...

    def fingerprint(self) -> str:
        """A short name for exactly this content; equal for equal releases in other places."""
        ...

    def units(
        self, split: str, images: Folder | Repository, *, streaming: bool = False, anew: bool = False
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
        except UnreachableError as error:
            if {place + MANIFEST for place in _PLACES} & _listed(location, error).files.keys():
                raise
            break
        return PatchRelease(location.at(snapshot_commit(file)), place, read_manifest(file.parent))
    listing = location.listing()
    if any(name.endswith(".zip") for name in listing.files):
        return OldRelease(location.at(listing.commit), find_release([*listing.files]), listing)
    found = ", ".join([*listing.files][:5]) or "no files"
    allowed = f"patches/{MANIFEST} with its shards, or the old train_0.zip ... val.zip"
    raise NotFoundError(explain(f"no release of patches in {location}", found=found, allowed=allowed))


def _listed(location: Location, error: UnreachableError) -> Listing:
    """All files of a place whose manifest cannot be had: only they tell whether it has one."""
    try:
        return location.listing()
    except UnreachableError:
        then = "Else load it once with the network, or give patches= the folder of a complete download."
        raise UnreachableError(f"{error} {then}") from error


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
        """What the manifest names.

        Raises:
            NotFoundError: it names a folder.
        """
        if any(entry.source is None for entries in self.manifest.splits.values() for entry in entries):
            what = f"these patches were made from a folder of images, {self.manifest.source!r}, so they need one"
            allowed = "imagenet_dir=FOLDER with train/ and val/ and a folder for each class in them"
            raise NotFoundError(explain(what, found="no imagenet_dir", allowed=allowed))
        return Repository(self.manifest.source, self.manifest.source_revision)

    @property
    def names_images(self) -> bool:
        """Yes: the format demands it."""
        return True

    def fingerprint(self) -> str:
        """The beginning of the manifest's digest, which covers the digest of every shard."""
        return sha256_of(self.location.fetch(self.place + MANIFEST))[:16]

    def units(
        self, split: str, images: Folder | Repository, *, streaming: bool = False, anew: bool = False
    ) -> Sequence[Unit]:
        """One unit for each patch shard."""
        entries = self.manifest.splits[split]
        sources = sources_of(entries, split, images, streaming=streaming, anew=anew)
        paths = [self.place + entry.path for entry in entries]
        patches = files_of(self.location, paths, "patches", streaming=streaming, anew=anew)
        folders = self.manifest.classes or tuple(one.wnid for one in imagenet_classes())
        columns = Columns.of_release(self.manifest.producer)
        return [
            PatchUnit(
                split=split,
                entry=entry,
                encoding=self.manifest.encoding,
                patches=patch,
                images=source,
                class_folders=folders,
                columns=columns,
            )
            for entry, patch, source in zip(entries, patches, sources, strict=True)
        ]


@dataclass(frozen=True)
class OldRelease:
    """A release in the old format: zips of pickles, in which the patch of an image is found by its name."""

    location: Location
    files: LegacyRelease
    listing: Listing

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

    @property
    def names_images(self) -> bool:
        """No: a patch applies to any image of its name and size."""
        return False

    def fingerprint(self) -> str:
        """Of names and digests; of zips in a folder the sizes, as they are too large to be read for this."""
        zips = [name for split in SPLITS for name in self.files.archives(split)]
        ratios = [name for split in SPLITS if (name := self.files.ratios(split))]
        parts = [(name, self.listing.files[name]) for name in (*zips, *ratios)]
        if isinstance(self.location, Folder):
            parts += [(name, sha256_of(self.location.fetch(name))) for name in ratios]
        return digest(repr(parts).encode()).hex()[:16]

    def units(
        self, split: str, images: Folder | Repository, *, streaming: bool = False, anew: bool = False
    ) -> Sequence[Unit]:
        """One unit for each zip if the images are a folder, else one for each of the source's shards."""
        names = self.files.archives(split)
        archives = files_of(self.location, names, "patches", streaming=streaming, anew=anew)
        ratio_file = self.files.ratios(split)
        ratios = None if ratio_file is None else str(self.location.fetch(ratio_file))
        if folder := class_folders(images, split):
            return [FolderLegacyUnit(split, archive, ratios, folder) for archive in archives]
        files = all_shards(images, split, streaming=streaming, anew=anew)
        return [ShardLegacyUnit(split, tuple(archives), ratios, file) for file in files]
