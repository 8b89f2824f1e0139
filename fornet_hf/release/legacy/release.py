"""A release in the old format: zips of pickles, in which the patch of an image is found by its name."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from fornet_hf.files import sha256_of
from fornet_hf.format.manifest import SPLITS
from fornet_hf.hub.errors import Token
from fornet_hf.hub.listing import Listing
from fornet_hf.hub.location import Folder, Repository
from fornet_hf.hub.transfer import open_file
from fornet_hf.release.images import all_shards, files_of, folder_source
from fornet_hf.release.interface import BACKGROUNDS, FOREGROUNDS, Listed, Release, short_digest
from fornet_hf.release.legacy.archive import Key, LegacyArchive
from fornet_hf.release.legacy.files import LegacyRelease
from fornet_hf.release.legacy.unit import LegacyUnit
from fornet_hf.release.units import Unit


@dataclass(frozen=True)
class OldRelease(Release):
    """A release in the old format.

    Attributes:
        everything: all files of the location.
        names: those of the release.
    """

    everything: Listing
    names: LegacyRelease

    @property
    def splits(self) -> Sequence[str]:
        """The splits which have zips."""
        return [split for split in SPLITS if self.files(split)]

    @property
    def classes(self) -> None:
        """None: the old format knows no classes but ImageNet's."""
        return None

    @property
    def source(self) -> Repository:
        """ImageNet-1k; the old format names no revision."""
        return Repository("ILSVRC/imagenet-1k")

    @property
    def names_images(self) -> bool:
        """No: a patch applies to any image of its name and size."""
        return False

    def fingerprint(self, split: str | None = None) -> str:
        """Return a digest of names and digests; of zips in a folder the sizes, as reading them takes too long."""
        if split is not None:
            return short_digest([(name, self.everything.files[name]) for name in self.files(split)])
        zips = [name for one in SPLITS for name in self.files(one)]
        ratios = [name for one in SPLITS if (name := self.names.ratios(one))]
        parts = [(name, self.everything.files[name]) for name in (*zips, *ratios)]
        if isinstance(self.location, Folder):
            parts += [(name, sha256_of(self.location.fetch(name))) for name in ratios]
        return short_digest(parts)

    def files(self, split: str) -> list[str]:
        """Return the names of a split's zips; its ratios are no patches."""
        return [*self.names.archives(split)]

    def units(
        self, split: str, images: Folder | Repository, *, streaming: bool = False, anew: bool = False
    ) -> Sequence[Unit]:
        """Return one unit for each zip if the images are a folder, else one for each of the source's shards."""
        archives = files_of(self.location, self.files(split), "patches", streaming=streaming, anew=anew)
        ratio_file = self.names.ratios(split)
        ratios = None if ratio_file is None else str(self.location.fetch(ratio_file))
        if folder := folder_source(images, split):
            return [
                LegacyUnit(split=split, archives=(archive,), ratios=ratios, images=folder) for archive in archives
            ]
        files = all_shards(images, split, streaming=streaming, anew=anew)
        return [LegacyUnit(split=split, archives=tuple(archives), ratios=ratios, images=file) for file in files]

    def count(self, split: str) -> int:
        """Return the number of images in the zips, which are opened where they are."""
        return len({(one.folder, one.key) for one in self.listing(split)})

    def listing(self, split: str, token: Token = None) -> Iterator[Listed]:
        """Yield all images; which parts each has stands in its patch."""
        for archive in self._opened(split, token):
            yield from (Listed(folder, key, None) for folder, key in archive)

    def listed(self, split: str, names: Collection[Key], token: Token = None) -> Iterator[Listed]:
        """Yield the images of these names, with the parts that their patches have: these are read."""
        for archive in self._opened(split, token):
            for folder, key in set(names).intersection(archive):
                patch = archive.read((folder, key))
                has = {FOREGROUNDS: patch.mask is not None, BACKGROUNDS: patch.difference is not None}
                yield Listed(folder, key, frozenset(part for part in has if has[part]))

    def _opened(self, split: str, token: Token) -> Iterator[LegacyArchive]:
        for name in self.files(split):
            with open_file(self.location.address(name), token) as file, LegacyArchive(file, name=name) as archive:
                yield archive

    def forget(self, splits: Sequence[str]) -> list[str]:
        """Return nothing: the zips are named nowhere, and the ratios stay."""
        del splits
        return []
