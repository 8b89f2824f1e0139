"""The images of a challenge in ImageNet-9's folders: the originals that have masks, and all tiled backgrounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fornet_hf.errors import NotFoundError, SourceError, explain
from fornet_hf.evaluation.data.names import MASKS
from fornet_hf.evaluation.data.tree_files import Item
from fornet_hf.evaluation.data.trees import TreeData, read_image
from fornet_hf.evaluation.stimuli.conditions import ORIGINAL

BACKGROUND = "only_bg_t"


def lacking(data: TreeData) -> str:
    """Say what a tree lacks for the challenge; empty: nothing."""
    there = {name: bool(data.files.get(name)) for name in (ORIGINAL, BACKGROUND)} | {MASKS: bool(data.masks)}
    then = "Make them: fornet variants --help"
    if missing := [name for name, found in there.items() if not found]:
        found = f"no {', no '.join(missing)} in {data.root}"
        return explain("the challenge lacks images", found=found, then=then)
    if not _objects(data):
        found = f"no mask of {data.root} has the name of an original"
        return explain("the challenge lacks images", found=found, then=then)
    return data.too_few_classes


def _objects(data: TreeData) -> list[Item]:
    return sorted(data.masks.keys() & data.files[ORIGINAL].keys())


class Foreground(NamedTuple):
    """One object.

    Attributes:
        image: uint8, 3 x height x width: the original.
        mask: float32, height x width, 0 to 1: how much of each pixel is the object.
    """

    image: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.float32]


class TreeImages:
    """Foregrounds and backgrounds of a tree; several threads may read them.

    Args:
        data: the tree.

    Raises:
        NotFoundError: a folder is missing or empty, or no mask has an original.
    """

    def __init__(self, data: TreeData) -> None:
        if reason := lacking(data):
            raise NotFoundError(reason)
        self._data = data
        self._objects, self._tiled = _objects(data), sorted(data.files[BACKGROUND])

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the classes."""
        return self._data.class_names

    @property
    def fingerprint(self) -> str:
        """Digest of the tree's files."""
        return self._data.fingerprint

    @cached_property
    def foregrounds(self) -> Sequence[str]:
        """Stem of each original; where classes share a stem, with the class in front."""
        return self._keys(self._objects)

    @cached_property
    def labels(self) -> npt.NDArray[np.int64]:
        """Class of each foreground."""
        return np.array([label for label, _ in self._objects], np.int64)

    @cached_property
    def left_out(self) -> Mapping[str, int]:
        """Originals without a mask, and masks without an original."""
        originals, masks = self._data.files[ORIGINAL].keys(), self._data.masks.keys()
        lost = {"no mask": len(originals - masks), "no original": len(masks - originals)}
        return {reason: count for reason, count in lost.items() if count}

    @cached_property
    def backgrounds(self) -> Sequence[str]:
        """Stem of each background, likewise."""
        return self._keys(self._tiled)

    @cached_property
    def background_labels(self) -> npt.NDArray[np.int64]:
        """Class of each background."""
        return np.array([label for label, _ in self._tiled], np.int64)

    def foreground(self, number: int) -> Foreground:
        """Return a foreground.

        Raises:
            SourceError: image or mask is damaged.
        """
        item = self._objects[number]
        return Foreground(read_image(self._data.files[ORIGINAL][item].path), read_mask(self._data.masks[item]))

    def background(self, number: int) -> npt.NDArray[np.uint8]:
        """Return a background.

        Raises:
            SourceError: the file is damaged.
        """
        return read_image(self._data.files[BACKGROUND][self._tiled[number]].path)

    def _keys(self, items: Sequence[Item]) -> list[str]:
        counts = Counter(stem for _, stem in items)
        names = self.class_names
        return [stem if counts[stem] == 1 else f"{names[label]}/{stem}" for label, stem in items]


def read_mask(path: Path) -> npt.NDArray[np.float32]:
    """Return a mask: float32, height x width, 0 to 1; of one with three equal colours, the first.

    Raises:
        SourceError: it is damaged, or something else.
    """
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
