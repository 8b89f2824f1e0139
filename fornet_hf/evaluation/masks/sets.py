"""Sets of masks: each has a name and is read when it is needed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from fornet_hf.errors import ConfigurationError, SourceError, explain
from fornet_hf.evaluation.masks.names import Name, NameSet
from fornet_hf.format.masks import Mask
from fornet_hf.format.raster import DECODE_ERRORS


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


class MaskSet(NameSet, ABC):
    """Masks with names.

    Attributes:
        rule: for a person: the pixels that are the object.
        splits: `train`, `validation` or `test` for each, or empty; None: nothing says.
    """

    rule: str
    splits: Sequence[str] | None = None

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


@dataclass(frozen=True)
class Files(MaskSet):
    """Masks in image files.

    Attributes:
        names: of the masks.
        paths: of their files.
        outline: makes a mask of an image.
        rule: says how.
        sequences: whether a folder holds the frames of a film.
        splits: as in `MaskSet`.
    """

    names: Sequence[Name]
    paths: Sequence[Path]
    outline: Outlining
    rule: str
    sequences: bool = False
    splits: Sequence[str] | None = None

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


def by_level(threshold: int | None) -> Outlining:
    """Return what takes the pixels above a grey level for the object; None: there must be two levels, 0 and another.

    Of a palette it is the index, unless its colours are greys; of an image with alpha its alpha; of colours the
    highest of the three.

    Raises:
        ConfigurationError: the threshold is below 0.
    """
    if threshold is not None and threshold < 0:
        raise ConfigurationError(explain("a threshold is not allowed", found=threshold, allowed="0 or more"))

    return partial(_by_level, threshold)


def _by_level(threshold: int | None, image: Image.Image) -> Outline:
    levels = _levels(image)
    numbers = levels if image.mode == "P" else None
    if threshold is not None:
        return Outline(levels > threshold, numbers=numbers)
    mask = levels != 0
    if numbers is None and (mask & (levels != levels.max(initial=0))).any():
        found = f"{len(np.unique(levels))} grey levels from {levels.min()} to {levels.max()}"
        then = "Say above which level is the object: --threshold for the truth, --predicted-threshold."
        raise ConfigurationError(explain("a mask is not black and white", found=found, then=then))
    return Outline(mask, numbers=numbers)


def by_index(void: int) -> Outlining:
    """Return what takes all indices but 0 for the object, and leaves the pixels of one index out."""

    return partial(_by_index, void)


def _by_index(void: int, image: Image.Image) -> Outline:
    if image.mode not in {"1", "P", *_GREY}:
        found, then = f"mode {image.mode}", "Take the files of the set as they are, or --layout png."
        allowed = "a palette, or levels"
        raise ConfigurationError(explain("a mask has no indices", found=found, allowed=allowed, then=then))
    levels = _levels(image)
    return Outline((levels != 0) & (levels != void), levels != void, levels)


_GREY = {"L", "I", "I;16"}


def _levels(image: Image.Image) -> npt.NDArray[np.int32]:
    if image.mode in {"RGBA", "LA", "PA"}:
        opaque = (np.asarray(image.getchannel("A")) == 255).all()
        image = image.convert("RGB") if opaque else image.getchannel("A")  # what is opaque has its mask in colours
    if image.mode == "P":
        return _of_palette(image)
    if image.mode not in {"1", *_GREY}:
        image = Image.fromarray(np.asarray(image.convert("RGB")).max(axis=2))
    return np.asarray(image).astype(np.int32)


def _of_palette(image: Image.Image) -> npt.NDArray[np.int32]:
    """Return the levels of an image whose palette is of greys, else its indices.

    Raises:
        ConfigurationError: black or transparent are others than 0: a tool has put the colours in an order of its own.
    """
    indices = np.asarray(image).astype(np.int32)
    used = np.flatnonzero(np.bincount(indices.ravel(), minlength=256))
    colours = np.zeros((256, 3), np.int32)
    given = np.array(image.getpalette("RGB") or [], np.int32).reshape(-1, 3)
    colours[: len(given)] = given
    levels, black = np.arange(256, dtype=np.int32), np.empty(0, np.int64)
    if len(np.unique(colours[used], axis=0)) == len(used):  # colours that do not tell indices apart say nothing
        if (colours[used] == colours[used, :1]).all():
            levels = colours[:, 0]
        black = used[~colours[used].any(axis=1)]
    clear = np.intersect1d(used, _transparent(image))
    for kind, found in (("black", black), ("transparent", clear)):
        if len(found) and set(found) != set(used[levels[used] == 0]):
            then = "Write it in black and white."
            what = f"{kind} at index {', '.join(map(str, found))}"
            raise ConfigurationError(explain("a mask's palette is in no order", found=what, allowed="0", then=then))
    return levels[indices]


def _transparent(image: Image.Image) -> list[int]:
    """Return the indices that show nothing."""
    alpha = image.info.get("transparency", b"")
    return [alpha] if isinstance(alpha, int) else [index for index, level in enumerate(alpha) if level == 0]
