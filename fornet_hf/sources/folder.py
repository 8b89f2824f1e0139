"""Images in a folder of class folders, laid out like ImageNet's."""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fornet_hf.classes import wnid_index
from fornet_hf.errors import NotFoundError, SourceError, explain
from fornet_hf.format.keys import ENDINGS, has_class, is_image, key_with_class, keys_in_class, plain_name
from fornet_hf.sources.files import ImageFiles, ImageRef
from fornet_hf.sources.image import SourceImage, split_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


@dataclass(frozen=True)
class FolderSource(ImageFiles):
    """A folder laid out like ImageNet: `{root}/{train|val}/{class}/{image}`.

    The split `validation` is the folder `val` or `validation`. Of a class folder named by a WNID the label
    is ImageNet's; other folders have none here: number `classes("train")` for them.
    """

    root: Path

    def has(self, split: str) -> bool:
        """Return whether the split has a folder."""
        return any((self.root / name).is_dir() for name in split_names(split))

    def classes(self, split: str) -> list[str]:
        """Return the names of the class folders, sorted.

        Raises:
            NotFoundError: if root, split or class folders are missing.
            SourceError: if the split has two folders.
        """
        folder = self._split_folder(split)
        entries = (entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
        # A disk's own folder is not for everybody to look into.
        names = sorted(entry.name for entry in entries if entry.name != "lost+found")
        if not names:
            raise NotFoundError(explain(f"no class folders in {folder}", then=self._layout(split)))
        return names

    def has_images(self, split: str, folder_class: str) -> bool:
        """Return whether there is an image in this class folder."""
        folders = [self.root / name / folder_class for name in split_names(split)]
        return any(is_image(path) for folder in folders if folder.is_dir() for path in folder.iterdir())

    def list(self, split: str) -> Sequence[ImageRef]:
        """Return all images, sorted by class folder, then by file name; other files are passed over.

        Raises:
            NotFoundError: as `classes`.
            SourceError: if two files of a class have the same key, which is ImageNet's with and without the WNID.
        """
        folder = self._split_folder(split)
        return [ref for name in self.classes(split) for ref in self._class_images(folder / name)]

    def read(self, split: str, key: str, folder_class: str) -> SourceImage:
        """Read the image of this key in this class folder.

        The usual names are tried before the folder is listed, which takes long in ImageNet's, and is done once.

        Raises:
            NotFoundError: if there is none.
            PatchFormatError: if key or class could point out of the folder: they come from patches.
        """
        folder = self._split_folder(split) / plain_name(folder_class, "class")
        plain_name(key, "key")
        usual = [folder / f"{key}{ending}" for ending in ENDINGS[:4]]
        label = wnid_index().get(folder_class)
        if label is not None:  # a folder which was written from the Hub's dataset
            usual.append(folder / f"{key}_{folder_class}{ENDINGS[0]}")
        path = next((path for path in usual if path.is_file()), None) or _listed(folder, key)
        if path is None:
            looked = folder / f"{key}{ENDINGS[0]}"
            raise NotFoundError(explain(f"no image {looked} (or another ending)", then=self._layout(split)))
        return SourceImage(key, label, path.read_bytes(), str(path))

    def _split_folder(self, split: str) -> Path:
        names = split_names(split)
        folders = [self.root / name for name in names if (self.root / name).is_dir()]
        if not folders:
            looked = " or ".join(str(self.root / name) for name in names)
            raise NotFoundError(explain(f"no folder {looked}", then=self._layout(split)))
        if len(folders) > 1:
            found = [str(folder) for folder in folders]
            raise SourceError(explain(f"split {split!r} has two folders", found=found, then="Remove one of them."))
        return folders[0]

    def _class_images(self, folder: Path) -> Iterator[ImageRef]:
        if not folder.is_dir():
            return
        seen: dict[str, Path] = {}
        for key, name in keys_in_class(_image_names(folder)):
            path = folder / name
            if key in seen:
                raise SourceError(explain(f"two files for key {key!r}", found=f"{seen[key]} and {path}"))
            seen[key] = path
            yield ImageRef(key, folder.name, path)

    def _layout(self, split: str) -> str:
        return f"Expected {self.root / split_names(split)[0]}/CLASS/IMAGE.JPEG with a folder for each class"


def _image_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if is_image(path))


def _listed(folder: Path, key: str) -> Path | None:
    """Return the image of this key, by the listing of its folder."""
    if not folder.is_dir():
        return None
    changed = folder.stat().st_mtime_ns
    rest = _listing(folder, changed).get(key)
    if rest is None and has_class(key):
        rest = _listing(folder, changed, key_with_class).get(key)
    if rest is None:
        return None
    return folder / (rest[1:] if rest.startswith("/") else key + rest)


@functools.lru_cache(maxsize=2048)  # ImageNet's classes, which patches may come from in any order: some 200 MB
def _listing(folder: Path, changed: int, key_of: Callable[[str, str], str] = lambda _, key: key) -> Mapping[str, str]:
    """Return what follows each key in its file's name; the whole name after a slash where the name does not begin so.

    Args:
        folder: the class folder.
        changed: when its entries last changed; after a change it is listed anew.
        key_of: makes the key of class and name.
    """
    del changed
    rests: dict[str, str] = {}
    for key, name in keys_in_class(_image_names(folder)):
        one = key_of(folder.name, key)
        rests.setdefault(one, sys.intern(name.removeprefix(one)) if name.startswith(one) else f"/{name}")
    return rests
