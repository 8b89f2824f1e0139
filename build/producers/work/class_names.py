"""The classes of a set of images: ImageNet-1k's, whose labels and prompts are known, or a set's own."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from fornet_hf.classes import class_names, wnid_index
from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.format.keys import plain_name, valid_key
from fornet_hf.format.manifest import SPLITS
from fornet_hf.sources import ImageFiles, label_names

Classes = tuple[str, ...] | None
"""Names in label order; None for ImageNet-1k."""

_ALIKE = 0.9  # of the labels; conversions of ImageNet differ in a few names, such as those of the two cranes
_WNID = re.compile(r"n\d{8}")


def folder_classes(folder: ImageFiles) -> Classes:
    """Return the names of all splits' class folders, sorted; None if all are of ImageNet-1k, whose order then holds.

    Folders without images do not count: a disk's `lost+found` is no class.

    Raises:
        ConfigurationError: some are WNIDs of ImageNet-1k and some are not.
    """
    names = {
        name
        for split in SPLITS
        if folder.has(split)
        for name in folder.classes(split)
        if folder.has_images(split, name)
    }
    known = names & wnid_index().keys()
    if known and known != names:
        odd, rest = sorted((known, names - known), key=len)
        what = f"{folder.root}: some class folders are named by WNIDs of ImageNet-1k and some are not"
        then = "For ImageNet-1k, move the other folders away; for a set of your own, name all folders by words."
        found = f"{_some(odd)} among {_some(rest)}"
        raise ConfigurationError(explain(what, found=found, allowed="either all or none", then=then))
    return tuple(sorted(names - known)) or None


def _some(names: Collection[str]) -> str:
    return ", ".join(sorted(names)[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def parquet_classes(shards: Sequence[Path], column: str = "label") -> Classes:
    """Return what the shards call the labels in a column; None if that is ImageNet-1k, or they say nothing.

    Raises:
        ConfigurationError: they say different things, or WNIDs in another order than that of ImageNet-1k.
        NotFoundError: a shard is gone.
        SourceError: a shard is damaged.
        PatchFormatError: a name is empty. What else the name of a folder cannot have is replaced, see `valid_key`.
    """
    known = {path: label_names(path, column) or () for path in shards}
    found = {path: None if _is_imagenet(names) else tuple(names) or None for path, names in known.items()}
    for path, names in found.items():
        if names != found[shards[0]]:
            raise ConfigurationError(f"{path} has other names of labels than {shards[0]}. Convert both alike.")
    names = found[shards[0]]
    if wnids := [name for name in names or () if _WNID.fullmatch(name)]:
        what = f"{shards[0]}: labels are named by WNIDs, but are not those of ImageNet-1k in their order"
        raise ConfigurationError(explain(what, found=_some(wnids), then="Name the classes by words."))
    return names and tuple(plain_name(valid_key(name), f"{shards[0]}: class") for name in names)


def _is_imagenet(names: Sequence[str]) -> bool:
    """Return whether these are the WNIDs or the names of ImageNet-1k's classes, nearly all at their places."""
    standard = class_names()
    if len(names) != len(standard):
        return False
    same = sum(_first(name) == _first(other) for name, other in zip(names, standard, strict=True))
    return same >= _ALIKE * len(standard) or list(names) == list(wnid_index())


def _first(name: str) -> str:
    """Return `tench` of `tench, Tinca tinca`."""
    return name.partition(",")[0].strip().replace("_", " ").lower()
