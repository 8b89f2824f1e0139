"""ImageNet's 1000 classes: index, WNID, name, and the nouns above them in WordNet.

The names are those of the labels of `ILSVRC/imagenet-1k`, and the order is that of the sorted WNIDs, so an
index is the same class here, there, in torchvision and in every pretrained classifier. The table is a data
file which `build/make_classes.py` makes of WordNet 3.0; its licence lies beside it.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLUMNS = ("wnid", "name", "lineage")
"""The columns of `data/imagenet_classes.tsv`."""

BELOW = " < "
"""Between the nouns of a lineage in that file."""


@dataclass(frozen=True)
class ImageNetClass:
    """One class.

    Attributes:
        index: the label, 0 to 999.
        wnid: WordNet's number of it, such as `n01440764`; the name of its folder in ImageNet.
        name: its label name, all its WordNet lemmas, such as `tench, Tinca tinca`.
        lineage: WordNet's first name for the class, for its parent, and so on up to `entity`, such as `tench`,
            `cyprinid`, `cypriniform fish`, ... Of several hypernyms the parent is the one whose name sorts first.
    """

    index: int
    wnid: str
    name: str
    lineage: tuple[str, ...]


@cache
def imagenet_classes() -> tuple[ImageNetClass, ...]:
    """Return the 1000 classes; each is at the place of its index."""
    table = (resources.files(__package__) / "data" / "imagenet_classes.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return tuple(
        ImageNetClass(index, row["wnid"], row["name"], tuple(row["lineage"].split(BELOW)))
        for index, row in enumerate(rows)
    )


@cache
def wnid_index() -> Mapping[str, int]:
    """Return the index of each WNID; read-only, in the order of the indices."""
    return MappingProxyType({entry.wnid: entry.index for entry in imagenet_classes()})


@cache
def name_index() -> Mapping[str, int]:
    """Return the index of each class by its name and by its WNID; read-only."""
    return MappingProxyType({entry.name: entry.index for entry in imagenet_classes()} | dict(wnid_index()))


def class_names(own: Sequence[str] | None = None) -> list[str]:
    """Return the unique names of the classes in label order: a set's own, else ImageNet's 1000."""
    return list(own or (entry.name for entry in imagenet_classes()))


def class_folders(own: Sequence[str] | None = None) -> list[str]:
    """Return the names of the class folders in label order: a set's own class names, else ImageNet's WNIDs."""
    return list(own or wnid_index())
