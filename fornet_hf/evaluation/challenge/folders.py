"""The images of a challenge in ImageNet-9's folders.

ROOT/original/val/CLASS/STEM.JPEG     and its mask, fg_mask/val/CLASS/STEM.npy: a foreground
ROOT/only_bg_t/val/CLASS/*.JPEG       backgrounds
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fornet_hf.errors import NotFoundError, SourceError, explain
from fornet_hf.evaluation.challenge.images import Foreground
from fornet_hf.evaluation.masks.names import Name, NameSet
from fornet_hf.format.keys import image_key, is_image
from fornet_hf.format.raster import decode_rgb
from fornet_hf.sources.image import split_names

ORIGINAL, BACKGROUND, MASK = "original", "only_bg_t", "fg_mask"


class _Names(NameSet):
    def __init__(self, names: Sequence[Name]) -> None:
        self.names = names


@dataclass(frozen=True)
class FolderImages:
    """Foregrounds and backgrounds of some classes.

    Attributes:
        classes: names of the classes by their folders, in label order.
        originals: files by name.
        masks: likewise, in the same order.
        tiled: files of the backgrounds.
    """

    classes: Mapping[str, str]
    originals: Mapping[Name, Path]
    masks: Sequence[Path]
    tiled: Mapping[Name, Path]

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the classes."""
        return list(self.classes.values())

    @cached_property
    def foregrounds(self) -> Sequence[str]:
        """Name of each foreground: its stem, with its class where several have the same."""
        return _Names([*self.originals]).keys()

    @cached_property
    def labels(self) -> npt.NDArray[np.int64]:
        """Class of each foreground."""
        return self._labels(self.originals)

    @cached_property
    def backgrounds(self) -> Sequence[str]:
        """Name of each background, likewise."""
        return _Names([*self.tiled]).keys()

    @cached_property
    def background_labels(self) -> npt.NDArray[np.int64]:
        """Class of each background."""
        return self._labels(self.tiled)

    @cached_property
    def fingerprint(self) -> str:
        """Digest of all files and their names."""
        result = hashlib.sha256(repr([*self.classes.items()]).encode())
        for path in (*self.originals.values(), *self.masks, *self.tiled.values()):
            result.update(f"\0{path.parent.name}/{path.name}\0".encode())
            result.update(hashlib.sha256(path.read_bytes()).digest())
        return result.hexdigest()[:16]

    def foreground(self, number: int) -> Foreground:
        """Return a foreground.

        Raises:
            SourceError: image or mask is damaged.
        """
        path = self._original_paths[number]
        return Foreground(_image(path), _mask(self.masks[number]))

    def background(self, number: int) -> npt.NDArray[np.uint8]:
        """Return a background."""
        return _image(self._tiled_paths[number])

    @cached_property
    def _original_paths(self) -> Sequence[Path]:
        return list(self.originals.values())

    @cached_property
    def _tiled_paths(self) -> Sequence[Path]:
        return list(self.tiled.values())

    def _labels(self, files: Mapping[Name, Path]) -> npt.NDArray[np.int64]:
        numbers = {folder: number for number, folder in enumerate(self.classes)}
        return np.array([numbers[name.folder] for name in files], np.int64)


def lacking(root: Path, split: str) -> list[str]:
    """Return those of the three folders that are not there."""
    return [name for name in (ORIGINAL, BACKGROUND, MASK) if _folder(root, name, split) is None]


def read_folders(root: Path, split: str, classes: Mapping[str, str]) -> FolderImages:
    """Return the images of a challenge.

    Args:
        root: the folder of the variants.
        split: `train`, `val` or `validation`.
        classes: names of the classes by their folders, in label order.

    Raises:
        NotFoundError: one of the three folders is not there or is empty, or a mask has no original.
    """
    if missing := lacking(root, split):
        found = f"no {', no '.join(missing)} in {root}"
        raise NotFoundError(
            explain("the challenge lacks images", found=found, then="Make them: fornet variants --help")
        )
    originals, tiled, masks = (
        _files(_folder(root, name, split) or root, classes, is_mask=name == MASK)
        for name in (ORIGINAL, BACKGROUND, MASK)
    )
    if not (masks and tiled):
        raise NotFoundError(
            explain("the challenge lacks images", found=f"{len(masks)} masks, {len(tiled)} backgrounds")
        )
    if lost := [name.stem for name in masks if name not in originals]:
        raise NotFoundError(explain(f"{len(lost)} masks of the challenge have no original", found=lost[:3]))
    return FolderImages(classes, {name: originals[name] for name in masks}, [*masks.values()], tiled)


def _folder(root: Path, name: str, split: str) -> Path | None:
    return next((path for path in (root / name / one for one in split_names(split)) if path.is_dir()), None)


def _files(folder: Path, classes: Mapping[str, str], *, is_mask: bool) -> dict[Name, Path]:
    return {
        Name(image_key(path.name.removesuffix(".npy"))[0] if is_mask else image_key(path.name)[0], one): path
        for one in classes
        if (folder / one).is_dir()
        for path in sorted((folder / one).iterdir())
        if (path.suffix == ".npy" if is_mask else is_image(path))
    }


def _image(path: Path) -> npt.NDArray[np.uint8]:
    try:
        pixels = np.asarray(decode_rgb(path.read_bytes()))
    except SourceError as error:
        raise error.at(path) from error
    return np.moveaxis(pixels, 2, 0)


def _mask(path: Path) -> npt.NDArray[np.float32]:
    """Return a mask; of one with three equal colours, the first."""
    try:
        mask = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise SourceError(explain(f"{path}: the mask cannot be decoded", found=error)) from error
    if mask.ndim == 3 and mask.shape[2] == 3:
        mask = mask[..., 0]
    if mask.ndim != 2 or mask.dtype.kind not in "buif" or not ((mask >= 0) & (mask <= 1)).all():
        found = f"{mask.dtype} of {mask.shape}"
        raise SourceError(explain(f"{path}: not a mask", found=found, allowed="height x width, 0 to 1"))
    return np.asarray(mask, np.float32)
