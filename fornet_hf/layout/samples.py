"""A few rows of anything that can be recombined, as a small prepared dataset: for previews."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import datasets

from fornet_hf.classes import imagenet_classes, wnid_index
from fornet_hf.errors import NotFoundError, explain
from fornet_hf.features import row_features
from fornet_hf.hub.errors import Token
from fornet_hf.hub.location import locate
from fornet_hf.layout.dataset import ForNetDataset
from fornet_hf.layout.paths import splits_in
from fornet_hf.release.healing import healed_rows
from fornet_hf.release.images import find_images
from fornet_hf.release.release import open_release

T = TypeVar("T")


def sample_of_folder(root: Path, split: str, count: int) -> Any:
    """Return rows of a folder, evenly spread: of the public layout, without the objects' places, or of `datasets`.

    Raises:
        NotFoundError: it is neither, or has no such split.
    """
    if split in splits_in(root):
        dataset = ForNetDataset(root, train=split == "train")
        rows = [_row(dataset, index) for index in spread(range(len(dataset)), count)]
        return datasets.Dataset.from_list(rows, features=row_features(class_labels(dataset.classes)))
    if (root / "state.json").is_file():
        saved = datasets.load_from_disk(str(root))
    elif (root / split / "state.json").is_file():
        saved = datasets.load_from_disk(str(root / split))
    else:
        allowed = "a folder that fornet apply made, or one saved by datasets"
        raise NotFoundError(explain(f"nothing to show of {split!r} in {root}", allowed=allowed))
    return saved.select(spread(range(len(saved)), count))


def sample_of_patches(
    patches: str, imagenet_dir: str | None, imagenet_repo: str | None, split: str, count: int, token: Token = None
) -> Any:
    """Return the first rows that patches give, some of each of their files.

    Raises:
        ConfigurationError: the patches have no such split.
        NotFoundError: the split has no row.
        ForNetError: patches or images cannot be read.
    """
    release = open_release(locate(patches, token))
    release.chosen(split)
    images = find_images(release, imagenet_dir, imagenet_repo, token)
    units = release.units(split, images, streaming=True)
    share = -(-count // max(1, len(units)))
    rows = (row for unit in units for row in islice(healed_rows(unit, token), share))
    made = [dataclasses.asdict(row) for row in islice(rows, count)]
    if not made:
        raise NotFoundError(explain(f"nothing to show of {split!r} in {patches}", found="no row"))
    return datasets.Dataset.from_list(made, features=row_features(release.class_names))


def spread(items: Sequence[T], count: int) -> list[T]:
    """Return so many of the items, or all there are, evenly spread."""
    count = min(count, len(items))
    return [items[at * len(items) // count] for at in range(count)]


def _row(dataset: ForNetDataset, index: int) -> dict[str, Any]:
    """Return row `index` as a prepared dataset has it, but without the place of the object, which is not known."""
    row = dataset.row(index)
    background = None if row["own"] is None else dataset.background(row["own"])
    columns = {name: row[name] for name in ("key", "label", "foreground", "mask", "foreground_ratio")}
    return {**columns, "background": background, "box": None}


def class_labels(folders: Sequence[str]) -> list[str]:
    """Return names of the classes in class folders: ImageNet's where the folders are."""
    known = wnid_index()
    return [imagenet_classes()[known[folder]].name if folder in known else folder for folder in folders]
