"""Images in a folder whose `images.txt` says which of them are in which split."""

from __future__ import annotations

import functools
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fornet_hf.classes import wnid_index
from fornet_hf.errors import NotFoundError, SourceError, explain
from fornet_hf.format.keys import key_with_class, keys_in_class, plain_name
from fornet_hf.sources.files import ImageFiles, ImageRef
from fornet_hf.sources.folder import FolderSource
from fornet_hf.sources.image import SourceImage, split_names
from fornet_hf.sources.image_list import NAME, SPLIT_FILES, read_image_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def open_images(root: Path) -> ImageFiles:
    """Return the images of a folder by its list; where it has none, or class folders of splits, by those."""
    folder = FolderSource(root)
    has_list = (root / NAME).is_file() and not any(folder.has(split) for split in ("train", "validation"))
    return ListedSource(root) if has_list else folder


@dataclass(frozen=True)
class ListedSource(ImageFiles):
    """A folder with `images.txt`, in either layout of `read_image_list`: CUB-200-2011's, say.

    The class of an image is the folder that it is in. The split `validation` has the images for validation; if the
    list has none, it has the test images. `test` always has those. Images that are listed and missing are in the
    list, too, so that they are known to be missing.
    """

    root: Path

    @property
    def unused(self) -> int:
        """Number of the test images that belong neither to `train` nor to `validation`."""
        splits = self._splits()
        return sum(map(len, splits.get("test", {}).values())) if "validation" in splits else 0

    def has(self, split: str) -> bool:
        """Return whether the list has images of the split."""
        return bool(self._images(split))

    def classes(self, split: str) -> list[str]:
        """Return the names of the class folders, sorted; each has images.

        Raises:
            NotFoundError: there is no list, or it has no image of the split.
            SourceError: the list is damaged, or two files of a class have the same key.
        """
        images = self._images(split)
        if not images:
            raise NotFoundError(explain(f"{self.root / NAME} has no images of {split!r}"))
        return sorted(images)

    def has_images(self, split: str, folder_class: str) -> bool:
        """Return whether the list has images of this class."""
        return folder_class in self._images(split)

    def list(self, split: str) -> Sequence[ImageRef]:
        """Return all images, sorted by class folder, then by file name.

        Raises:
            NotFoundError, SourceError: as `classes`.
        """
        images = self._images(split)
        return [ImageRef(key, name, path) for name in self.classes(split) for key, path in images[name].items()]

    def read(self, split: str, key: str, folder_class: str) -> SourceImage:
        """Read the image of this key in this class.

        Raises:
            NotFoundError: the list has none, or its file is missing.
            PatchFormatError: if key or class could point out of the folder: they come from patches.
            SourceError: as `classes`.
        """
        plain_name(key, "key")
        images = self._images(split).get(plain_name(folder_class, "class"), {})
        path = images.get(key)
        if path is None:  # a set where classes have files of the same name
            path = next((path for one, path in images.items() if key_with_class(folder_class, one) == key), None)
        if path is None:
            raise NotFoundError(explain(f"{self.root / NAME} lists no image {folder_class}/{key} of {split!r}"))
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise NotFoundError(explain(f"no image {path}", then=f"It is listed in {self.root / NAME}.")) from error
        return SourceImage(key, wnid_index().get(folder_class), data, str(path))

    def _splits(self) -> Mapping[str, Mapping[str, Mapping[str, Path]]]:
        files = (self.root / name for name in (NAME, *SPLIT_FILES))
        return _images(self.root, tuple(file.stat().st_mtime_ns if file.is_file() else 0 for file in files))

    def _images(self, split: str) -> Mapping[str, Mapping[str, Path]]:
        splits, names = self._splits(), split_names(split)
        if "validation" in names:
            names = (*names, "test")
        return next((splits[name] for name in names if name in splits), {})


@functools.lru_cache(maxsize=4)
def _images(root: Path, changed: tuple[int, ...]) -> Mapping[str, Mapping[str, Mapping[str, Path]]]:
    """Return the path of each image of a list by split, class and key.

    Args:
        root: the folder.
        changed: when the files of the list last changed; after a change they are read anew.
    """
    del changed
    paths: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for image in read_image_list(root).images:
        paths[image.split][image.path.parent.name].append(root / image.path)
    return {split: {name: _by_key(found) for name, found in classes.items()} for split, classes in paths.items()}


def _by_key(paths: list[Path]) -> Mapping[str, Path]:
    """Return the images of a class by their keys, sorted by name."""
    ordered = sorted(paths, key=lambda path: path.name)
    found: dict[str, Path] = {}
    for path, (key, _) in zip(ordered, keys_in_class([path.name for path in ordered]), strict=True):
        if key in found:
            raise SourceError(explain(f"two files for key {key!r}", found=f"{found[key]} and {path}"))
        found[key] = path
    return found
