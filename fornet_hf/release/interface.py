"""The interface of a release: what its readers ask, whichever format it is in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from fornet_hf.classes import class_folders, class_names
from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.format.patch import digest
from fornet_hf.hub.errors import Token
from fornet_hf.hub.location import Folder, Location, Repository
from fornet_hf.release.units import Unit

PARTS = FOREGROUNDS, BACKGROUNDS = "foregrounds", "backgrounds"
"""Parts of an image, by the names of their folders in the public tools' layout."""


def short_digest(value: object) -> str:
    """Return 16 hexadecimal digits that tell the value, by its `repr`, from others."""
    return digest(repr(value).encode()).hex()[:16]


@dataclass(frozen=True)
class Listed:
    """An image of a release.

    Attributes:
        folder: its class folder.
        key: its name.
        parts: which of `foregrounds` and `backgrounds` it has; None: only its patch tells.
    """

    folder: str
    key: str
    parts: frozenset[str] | None


@dataclass(frozen=True)
class Release(ABC):
    """Patches for images, in a folder or a repository.

    Attributes:
        location: where they are.
    """

    location: Location

    @property
    @abstractmethod
    def splits(self) -> Sequence[str]:
        """The splits in it: `train`, `validation` or both."""

    def chosen(self, splits: str | Sequence[str] | None) -> list[str]:
        """Return the splits that are asked for, one or several or None for all, in the release's order.

        Raises:
            ConfigurationError: one of them is not in the release, or there is none.
        """
        wanted = [splits] if isinstance(splits, str) else list(self.splits if splits is None else splits)
        if not wanted:  # the empty dataset would take the place of the complete one in the cache
            raise ConfigurationError(explain("splits names no split", found=splits, allowed=list(self.splits)))
        if unknown := sorted(set(wanted) - set(self.splits)):
            raise ConfigurationError(explain("no such split", found=unknown, allowed=list(self.splits)))
        return [split for split in self.splits if split in wanted]

    @property
    @abstractmethod
    def classes(self) -> Sequence[str] | None:
        """Names of the classes (and of their folders) in label order; None: those of ImageNet-1k."""

    @property
    def class_names(self) -> list[str]:
        """Names of the classes in label order, for people."""
        return class_names(self.classes)

    @property
    def class_folders(self) -> list[str]:
        """Names of the class folders in label order."""
        return class_folders(self.classes)

    @property
    @abstractmethod
    def source(self) -> Repository:
        """The repository of the images that the patches apply to, at the revision they were made from."""

    @property
    @abstractmethod
    def names_images(self) -> bool:
        """True if every patch has the digest of its image, so that no other can be taken for it."""

    @abstractmethod
    def fingerprint(self, split: str | None = None) -> str:
        """Return a short name for exactly this content, or a split of it; equal for equal releases elsewhere."""

    @abstractmethod
    def files(self, split: str) -> list[str]:
        """Return the paths of a split's patches in the location."""

    @abstractmethod
    def units(
        self, split: str, images: Folder | Repository, *, streaming: bool = False, anew: bool = False
    ) -> Sequence[Unit]:
        """Return the work of preparing a split; without `streaming`, the files are downloaded first.

        With `anew` also those that the cache has.
        """

    @abstractmethod
    def count(self, split: str) -> int:
        """Return the number of images that have patches in a split."""

    @abstractmethod
    def listing(self, split: str, token: Token = None) -> Iterator[Listed]:
        """Yield all images of a split, as far as that can be told without applying patches.

        Raises:
            ForNetError: a file of the release cannot be read.
        """

    @abstractmethod
    def listed(self, split: str, names: Collection[tuple[str, str]], token: Token = None) -> Iterator[Listed]:
        """Yield the images of these class folders and keys with their parts, if need be by reading their patches."""

    @abstractmethod
    def forget(self, splits: Sequence[str]) -> list[str]:
        """Take splits out of what names their files, before these are deleted from the folder of the release.

        Returns:
            The paths of other files that go with them.
        """
