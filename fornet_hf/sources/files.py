"""Images in files of their own, which are found by class and key."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fornet_hf.sources.image import SourceImage


@dataclass(frozen=True)
class ImageRef:
    """An image of `ImageFiles` that is not read yet."""

    key: str
    folder_class: str
    path: Path


class ImageFiles(ABC):
    """Images of splits and classes; a plain value that travels to worker processes.

    Attributes:
        root: the folder that holds them all.
    """

    root: Path

    @abstractmethod
    def has(self, split: str) -> bool:
        """Return whether there are images of the split."""

    @abstractmethod
    def classes(self, split: str) -> list[str]:
        """Return the names of the class folders, sorted; they may be empty, see `has_images`.

        Raises:
            NotFoundError: there are none.
            SourceError: the split is ambiguous, or its list is damaged.
        """

    @abstractmethod
    def has_images(self, split: str, folder_class: str) -> bool:
        """Return whether there are images of this class in the split."""

    @abstractmethod
    def list(self, split: str) -> Sequence[ImageRef]:
        """Return all images, sorted by class folder, then by file name.

        Raises:
            NotFoundError: as `classes`.
            SourceError: as `classes`; or two files of a class have the same key.
        """

    @abstractmethod
    def read(self, split: str, key: str, folder_class: str) -> SourceImage:
        """Read the image of this key in this class.

        Raises:
            NotFoundError: there is none.
            PatchFormatError: key or class could point out of the folder: they come from patches.
        """
