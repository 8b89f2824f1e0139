"""Sets of masks: each has a name and is read when it is needed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from fornet_hf.errors import ConfigurationError, NotFoundError, SourceError, explain
from fornet_hf.format.keys import image_key, is_image, key_with_class
from fornet_hf.format.masks import Mask
from fornet_hf.format.raster import DECODE_ERRORS


class Name(NamedTuple):
    """The name of a mask.

    Attributes:
        stem: of the image.
        folder: of its class or sequence; empty: it lies in none.
    """

    stem: str
    folder: str = ""


class Outline(NamedTuple):
    """An object.

    Attributes:
        mask: its pixels.
        counted: pixels that the truth decides on; None: all.
        numbers: of the objects of which it consists, height x width; None: it is one.
    """

    mask: Mask
    counted: Mask | None = None
    numbers: npt.NDArray[np.int32] | None = None

    @property
    def objects(self) -> list[Mask]:
        """The objects one by one; none of them is empty."""
        if self.numbers is None:
            return [self.mask] if self.mask.any() else []
        return [self.numbers == number for number in np.unique(self.numbers[self.mask])]


Outlining = Callable[[Image.Image], Outline]


class NameSet:
    """Things with names.

    Attributes:
        names: of all.
        sequences: whether those of one folder are the frames of a film.
    """

    names: Sequence[Name]
    sequences: bool = False

    def keys(self) -> list[str]:
        """Return a key for each: its stem, with its folder where several have the same."""
        twice = _repeated(name.stem for name in self.names)
        return [
            key_with_class(name.folder, name.stem) if name.folder and name.stem in twice else name.stem
            for name in self.names
        ]

    def numbers(self) -> Mapping[str, int]:
        """Return the numbers by keys: the stem, if no other has it, and stem and folder.

        Raises:
            SourceError: two have the same key.
        """
        if twice := _repeated(self.keys()):
            raise SourceError(explain("two masks of one name", found=sorted(twice)[:3]))
        stems = _repeated(name.stem for name in self.names)
        found = {name.stem: number for number, name in enumerate(self.names) if name.stem not in stems}
        for number, name in enumerate(self.names):
            if name.folder:
                found.setdefault(key_with_class(name.folder, name.stem), number)
        return found

    def matched(self, truth: NameSet) -> dict[int, int]:
        """Return the number of the truth for each of these that has one, by their keys.

        Raises:
            SourceError: two have the same key.
        """
        found, pairs = self.numbers(), dict[int, int]()
        for key, number in truth.numbers().items():
            if key in found:
                folders = {self.names[found[key]].folder, truth.names[number].folder} - {""}
                if len(folders) < 2 or not truth.sequences:  # frame 7 of another film is another image
                    pairs[found[key]] = number
        return pairs


class MaskSet(NameSet, ABC):
    """Masks with names.

    Attributes:
        rule: for a person: the pixels that are the object.
    """

    rule: str

    @abstractmethod
    def read(self, number: int) -> Outline:
        """Return a mask.

        Raises:
            ForNetError: it cannot be read; the message names it.
        """

    def readers(self, wanted: Container[int]) -> Iterator[tuple[int, Callable[[], Outline]]]:
        """Yield the numbers of some masks in an order that suits the files, each with what reads it in any thread."""
        for number in range(len(self.names)):
            if number in wanted:
                yield number, partial(self.read, number)


def _repeated(texts: Iterable[str]) -> set[str]:
    return {text for text, count in Counter(texts).items() if count > 1}


@dataclass(frozen=True)
class Files(MaskSet):
    """Masks in image files.

    Attributes:
        names: of the masks.
        paths: of their files.
        outline: makes a mask of an image.
        rule: says how.
        sequences: whether a folder holds the frames of a film.
    """

    names: Sequence[Name]
    paths: Sequence[Path]
    outline: Outlining
    rule: str
    sequences: bool = False

    def read(self, number: int) -> Outline:
        """Return a mask.

        Raises:
            SourceError: it is damaged.
            ConfigurationError: it has more grey levels than an object and its surroundings have.
        """
        path = self.paths[number]
        try:
            with Image.open(path) as image:
                return self.outline(image)
        except ConfigurationError as error:
            raise error.at(path) from error
        except DECODE_ERRORS as error:
            raise SourceError(explain(f"{path}: the mask cannot be decoded", found=error)) from error


@dataclass(frozen=True)
class Images(NameSet):
    """Image files.

    Attributes:
        names: of them.
        paths: likewise.
    """

    names: Sequence[Name]
    paths: Sequence[Path]


def image_files(root: Path) -> Images:
    """Return the images of a folder; DRC's are called `_resized`.

    Raises:
        NotFoundError, SourceError: as `files_in`.
    """
    files = files_in(root, "*", "_resized")
    return Images([*files], [*files.values()])


def files_in(root: Path, pattern: str = "*.png", suffix: str = "") -> dict[Name, Path]:
    """Return the images of a folder: those that lie in it, and those in its folders, at any depth.

    Args:
        root: the folder.
        pattern: of their file names.
        suffix: of their stems, which is left out of their names.

    Raises:
        NotFoundError: there is no such folder, or no such file in it.
        SourceError: two files differ in nothing but their ending or their upper folders.
    """
    if not root.is_dir():
        raise NotFoundError(explain("no folder of masks or images", found=root))
    found: dict[Name, Path] = {}
    for path in sorted(root.rglob(pattern)):
        if not is_image(path):
            continue
        stem = image_key(path.name)[0].removesuffix(suffix)
        name = Name(stem, path.parent.name if path.parent != root else "")
        if name in found:
            raise SourceError(explain("two files of one name", found=f"{found[name]} and {path}"))
        found[name] = path
    if not found:
        raise NotFoundError(explain("no masks or images", found=f"no {pattern} in {root}"))
    return found


def by_level(threshold: int | None) -> Outlining:
    """Return what takes the pixels above a grey level for the object; None: there must be two levels, 0 and another.

    Of a palette it is the index, of an image with alpha its alpha.
    """

    def outline(image: Image.Image) -> Outline:
        levels = _levels(image)
        if threshold is not None:
            return Outline(levels > threshold, numbers=levels if image.mode == "P" else None)
        mask = levels != 0
        if image.mode == "P":
            return Outline(mask, numbers=levels)
        if (mask & (levels != levels.max(initial=0))).any():
            found = f"{len(np.unique(levels))} grey levels from {levels.min()} to {levels.max()}"
            then = "Say above which level is the object: --threshold for the truth, --predicted-threshold."
            raise ConfigurationError(explain("a mask is not black and white", found=found, then=then))
        return Outline(mask)

    return outline


def with_void(void: int) -> Outlining:
    """Return what takes all indices but 0 for the object, and leaves the pixels of one index out."""

    def outline(image: Image.Image) -> Outline:
        levels = _levels(image)
        return Outline((levels != 0) & (levels != void), levels != void, levels)

    return outline


def _levels(image: Image.Image) -> npt.NDArray[np.int32]:
    if image.mode in {"RGBA", "LA", "PA"}:
        image = image.getchannel("A")
    elif image.mode not in {"1", "L", "P", "I", "I;16"}:
        image = image.convert("L")
    return np.asarray(image).astype(np.int32)
