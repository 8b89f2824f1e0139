"""The images of pairs by their names: files in folders, or rows of Parquet shards."""

from __future__ import annotations

import difflib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from fornet_hf.classes import wnid_index
from fornet_hf.errors import ConfigurationError, NotFoundError, SourceError, explain
from fornet_hf.evaluation.masks.names import Name, NameSet, image_files
from fornet_hf.format.keys import key_of_row
from fornet_hf.sources import Columns, damage_named, keys_in_shard
from fornet_hf.sources.image import split_names
from fornet_hf.sources.image_list import NAME, SPLITS, read_image_list
from producers.work.plan import Task, plan, present_splits


class Row(NamedTuple):
    """An image in a Parquet shard.

    Attributes:
        shard: the file.
        column: of the images.
        number: of the row, from 0.
    """

    shard: Path
    column: str
    number: int


@dataclass(frozen=True)
class Images(NameSet):
    """Images that are not read yet.

    Attributes:
        names: of them.
        places: likewise, in the order of their files.
        splits: "train", "validation" or "test" for each, or empty; None: nobody says.
    """

    names: Sequence[Name]
    places: Sequence[Path | Row]
    splits: Sequence[str] | None = None


def images_of_split(root: Path, split: str, columns: Columns) -> Images:
    """Return the images of a split as segment.py reads it, by the keys that it gives them.

    Raises:
        ForNetError: as `plan`.
    """
    found = [one for task in plan(root, [split], columns=columns) for one in _of_task(task)]
    return Images([Name(key) for key, _ in found], [place for _, place in found], [split] * len(found))


def images_of_class(root: Path, name: str, split: str, columns: Columns) -> Images:
    """Return the images of a class, in a set as segment.py reads it.

    Args:
        root: folder of the set.
        name: of the class, as its folder or the shards' labels have it; of ImageNet its WNID, too.
        split: train, validation, val, or all that there are.
        columns: of Parquet shards.

    Raises:
        ConfigurationError: there is no such class.
        ForNetError: as `plan` and `present_splits`.
    """
    tasks = plan(root, present_splits(root, split), columns=columns)
    names = tasks[0].class_names
    wnids = [*wnid_index()] if tasks[0].classes is None else []
    label = next((labels.index(name) for labels in (names, wnids) if name in labels), None)
    if label is None:
        near = difflib.get_close_matches(name, names, 3) or names[:3]
        raise ConfigurationError(explain("there is no such class", found=repr(name), allowed=f"such as {near}"))
    found = [(key, place, task.split) for task in tasks for key, place in _of_task(task, label)]
    if not found:
        raise NotFoundError(explain(f"no images of the class {name}", found=f"none in {root}, split {split}"))
    keys, places, splits = zip(*found, strict=True)
    return Images([Name(key) for key in keys], places, splits)


def images_of(root: Path, columns: Columns) -> Images:
    """Return all images in a folder, by the names of their files.

    Raises:
        NotFoundError: there are none.
        SourceError: two have one name.
    """
    try:
        files = image_files(root)
    except NotFoundError as error:
        try:
            splits = present_splits(root, "all")
        except NotFoundError:
            raise error from None
        parts = [images_of_split(root, split, columns) for split in splits]
        names, places = ([one for part in parts for one in getattr(part, name)] for name in ("names", "places"))
        return Images(names, places, [split for part in parts for split in part.splits or ()])
    if (root / NAME).is_file():
        said = [image.split for image in read_image_list(root).images]  # files are in the order of the list
    else:
        said = [_split_of(path.relative_to(root)) for path in files.paths]
    return Images(files.names, files.paths, said)


def _split_of(path: Path) -> str:
    """Return the split of an image that lies as segment.py reads it, `val/CLASS/IMAGE.jpg`; else an empty text."""
    folder = path.parts[0] if len(path.parts) == 3 else ""
    return next((split for split in SPLITS if folder in split_names(split)), "")


def _of_task(task: Task, label: int | None = None) -> list[tuple[str, Path | Row]]:
    """Return key and place of a task's images, or of those with a label."""
    if not isinstance(task.images, Path):
        labels = {name: number for number, name in enumerate(task.classes)} if task.classes else wnid_index()
        return [(ref.key, ref.path) for ref in task.images if label in (None, labels[ref.folder_class])]
    shard, column = task.images, task.columns.image or "image"
    keys = keys_in_shard(shard, name=shard.name, columns=task.columns)
    wanted = range(len(keys)) if label is None else _rows_with(shard, task.columns.label or "label", label)
    named = [(row, key_of_row(shard.name, row) if task.by_row else keys[row]) for row in wanted]
    return [(key or "", Row(shard, column, row)) for row, key in named]


def _rows_with(shard: Path, column: str, label: int) -> list[int]:
    with damage_named(shard):
        labels = pq.read_table(shard, columns=[column], use_threads=False).column(column).to_pylist()
    return [row for row, found in enumerate(labels) if found == label]


class Reader:
    """Reads images; of Parquet shards it keeps the last row group, so that rows in their order are read once."""

    def __init__(self) -> None:
        self._shard: Path | None = None
        self._file: Any = None
        self._starts: list[int] = []
        self._group, self._images = range(0), None

    def read(self, place: Path | Row) -> bytes:
        """Return the bytes of an image's file.

        Raises:
            NotFoundError: it is gone.
            SourceError: a shard is damaged, or has no bytes there.
        """
        if isinstance(place, Path):
            try:
                return place.read_bytes()
            except FileNotFoundError as error:
                raise NotFoundError(explain("an image is gone", found=place)) from error
        data: bytes | None = self._rows(place)[place.number - self._group.start].as_py()
        if not data:
            raise SourceError(f"{place.shard}:{place.number}: no image bytes; a path alone is not enough")
        return data

    def _rows(self, place: Row) -> Any:
        with damage_named(place.shard):
            if place.shard != self._shard:
                self._file = pq.ParquetFile(place.shard, pre_buffer=False)
                counts = (self._file.metadata.row_group(one).num_rows for one in range(self._file.num_row_groups))
                self._starts, self._group, self._shard = list(accumulate(counts, initial=0)), range(0), place.shard
            if place.number not in self._group:
                index = bisect_right(self._starts, place.number) - 1
                column = f"{place.column}.bytes"
                table = self._file.read_row_group(index, columns=[column], use_threads=False).flatten()
                self._images = table.column(column)
                self._group = range(self._starts[index], self._starts[index + 1])
        return self._images
