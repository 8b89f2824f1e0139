"""One split in memory: which images there are, their labels and ratios. No image is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.layout.paths import BACKGROUNDS, FOREGROUNDS, Layout, class_order, splits_in
from fornet_hf.layout.trees import Entries, Tree, open_tree
from fornet_hf.release.legacy import read_ratios


@dataclass(frozen=True, eq=False)
class LocalSplit:
    """The images of a split, sorted by class folder, then key.

    Attributes:
        layout: where they are.
        foregrounds: the objects.
        backgrounds: the infilled images.
        classes: names of the class folders in label order.
        labels: of each foreground, int64.
        background_labels: of each background, int64.
        ratios: area of the object / area of its image of each foreground, float32; NaN: not known.
        background_ratios: of each background; 0: not known, which is so for images without an object.
        own: index of the background of each foreground's image; -1: it has none.
    """

    layout: Layout
    foregrounds: Tree
    backgrounds: Tree
    classes: Sequence[str]
    labels: npt.NDArray[np.int64]
    background_labels: npt.NDArray[np.int64]
    ratios: npt.NDArray[np.float32]
    background_ratios: npt.NDArray[np.float32]
    own: npt.NDArray[np.int64]


def open_split(root: Path, split: str, classes: Sequence[str] | None = None) -> LocalSplit:
    """Index a split of a folder.

    Args:
        root: the folder.
        split: `train` or `validation`.
        classes: names of the class folders in label order; None: see `layout.class_order`.

    Raises:
        NotFoundError: there are no such files, no foregrounds or no ratios.
        PatchFormatError: a zip, the ratios or `classes.json` are damaged.
        ConfigurationError: `classes` lacks a class that is there.
    """
    layout = Layout(root, split)
    if not root.is_dir():
        raise NotFoundError(explain("no such folder", found=repr(str(root))))
    if split not in splits_in(root):
        found = f"{root} with splits {splits_in(root)}"
        raise NotFoundError(explain(f"no split {split!r}", found=found, then="Make it: fornet apply --help"))
    foregrounds, backgrounds = open_tree(layout, FOREGROUNDS), open_tree(layout, BACKGROUNDS)
    one, other = foregrounds.entries, backgrounds.entries
    if not len(one) or not len(other):
        found = f"{len(one)} foregrounds and {len(other)} backgrounds of {split!r}"
        raise NotFoundError(explain(f"{root} has nothing to recombine", found=found))
    order = list(classes) if classes is not None else class_order(root, sorted({*one.classes, *other.classes}))
    known = read_ratios(layout.ratios)
    names, values = pa.array(list(known), pa.string()), np.array([*known.values(), np.nan], np.float32)
    return LocalSplit(
        layout=layout,
        foregrounds=foregrounds,
        backgrounds=backgrounds,
        classes=order,
        labels=_labels(one, order),
        background_labels=_labels(other, order),
        ratios=values[_positions(one.keys, names)],
        background_ratios=np.nan_to_num(values[_positions(other.keys, names)], nan=0.0),
        own=_positions(one.paths(), other.paths()),
    )


def _labels(entries: Entries, order: Sequence[str]) -> npt.NDArray[np.int64]:
    labels = {name: label for label, name in enumerate(order)}
    if missing := [name for name in entries.classes if name not in labels]:
        raise ConfigurationError(
            explain("classes lacks class folders that are there", found=missing[:5], allowed="all class folders")
        )
    return np.array([labels[name] for name in entries.classes], np.int64)[entries.numbers]


def _positions(wanted: pa.Array, values: pa.Array) -> npt.NDArray[np.int64]:
    """Return the index of each string among the values; -1: it is not there."""
    found: npt.NDArray[np.int64] = pc.fill_null(pc.index_in(wanted, value_set=values), -1).to_numpy().astype(np.int64)
    return found
