"""The work: one task for each shard, from images in files or from Parquet shards."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow.parquet as pq
from tqdm import tqdm

from fornet_hf.classes import class_names, wnid_index
from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.format.keys import shard_name
from fornet_hf.format.manifest import SPLITS
from fornet_hf.sources import (
    Columns,
    ImageFiles,
    ImageRef,
    ListedSource,
    SourceImage,
    are_of_rows,
    damage_named,
    iter_images,
    key_with_class,
    keys_in_shard,
    open_images,
    shard_files,
)
from producers.detect.prompts import Prompts
from producers.work.class_names import Classes, folder_classes, parquet_classes
from producers.work.report import Lost

IMAGES_PER_SHARD = 4096  # about as many as ImageNet's own shards have
FEWEST_PER_SHARD = 64  # unless a number of shards is asked for


@dataclass(frozen=True)
class Labelled:
    """One source image, ready to be taken apart.

    Attributes:
        key: of the image.
        label: index of its class.
        data: bytes of its file.
        prompts: what to look for, most specific first; at least one.
    """

    key: str
    label: int
    data: bytes
    prompts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Task:
    """One shard's work; a plain value that travels to worker processes.

    Attributes:
        split: `train` or `validation`.
        index: of the shard, from 0.
        count: of the split's shards.
        images: files of a folder, or a Parquet shard.
        classes: names in label order, which are those of the class folders; None for ImageNet-1k.
        source: path of the Parquet shard in its repository; None for a folder.
        columns: of the Parquet shard; those of other names are noted in the release.
        by_row: whether the keys of a Parquet shard's images are their rows, because their names are none.
    """

    split: str
    index: int
    count: int
    images: tuple[ImageRef, ...] | Path
    classes: Classes
    source: str | None = None
    columns: Columns = field(default_factory=Columns)
    by_row: bool = False

    @property
    def class_names(self) -> Sequence[str]:
        """In label order, ImageNet-1k's too."""
        return class_names(self.classes)

    @property
    def name(self) -> str:
        """Of its patch shard, without ending."""
        return shard_name(self.split, self.index, self.count).removesuffix(".parquet")

    def read(self, prompts: Prompts | None = None) -> Iterator[Labelled | Lost]:
        """Yield the images in source order, or why one cannot be used.

        Args:
            prompts: what to look for; by default what the names of the classes make.

        Raises:
            NotFoundError: the Parquet shard is gone.
            SourceError: the Parquet shard is damaged.
        """
        prompts = prompts or Prompts()
        if isinstance(self.images, Path):
            name, columns = self.images.name, self.columns
            for image in iter_images(self.images, name=name, columns=columns, by_row=self.by_row):
                yield self._labelled(image, prompts)
            return
        labels = {name: label for label, name in enumerate(self.classes)} if self.classes else wnid_index()
        for ref in self.images:
            try:
                image = SourceImage(ref.key, labels[ref.folder_class], ref.path.read_bytes(), str(ref.path))
            except OSError as error:
                yield Lost(ref.key, "error", type(error).__name__, str(error))
                continue
            yield self._labelled(image, prompts)

    def _labelled(self, image: SourceImage, prompts: Prompts) -> Labelled | Lost:
        names = self.class_names
        if image.label is None or image.label >= len(names):
            detail = explain("the image's label", found=image.label, allowed=f"0 to {len(names) - 1}")
            return Lost(image.key, "error", "label", detail)
        return Labelled(image.key, image.label, image.data, prompts.of(image.label, self.classes))

    def number_of_images(self) -> int:
        """Count the images to read; NotFoundError or SourceError if a Parquet shard does not tell."""
        if not isinstance(self.images, Path):
            return len(self.images)
        with damage_named(self.images):
            return int(pq.read_metadata(self.images).num_rows)

    def fingerprint(self) -> str:
        """Return a digest of the images' names: another list of images makes another release."""
        if isinstance(self.images, Path):
            names = [self.images.name, str(self.images.stat().st_size)]
        else:
            names = [f"{ref.folder_class}/{ref.key}" for ref in self.images]
        return hashlib.sha256("\n".join(names).encode()).hexdigest()


def present_splits(root: Path, split: str) -> list[str]:
    """Return the splits that `train`, `validation`, `val` or `all` means: of the last, those that are there.

    Raises:
        NotFoundError: there is no such folder, or no split in it.
    """
    if not root.is_dir():
        raise NotFoundError(explain("the folder of images is missing", found=f"no folder {root}"))
    if split != "all":
        return ["validation" if split == "val" else split]
    folder = open_images(root)
    if isinstance(folder, ListedSource) and folder.unused:
        tqdm.write(f"note: {folder.unused} test images of {root} are in neither split", file=sys.stderr)
    found = [split for split in SPLITS if folder.has(split) or _has_shards(root, split)]
    if not found:
        allowed = "train/ and val/ with a folder for each class, images.txt, or data/train-00000-of-00294.parquet"
        raise NotFoundError(explain(f"{root} holds no split of images", allowed=allowed))
    return found


def _has_shards(root: Path, split: str) -> bool:
    try:
        return bool(shard_files(root, split))
    except NotFoundError:
        return False


def plan(
    root: Path,
    splits: Sequence[str],
    shards: int | Mapping[str, int] | None = None,
    columns: Columns | None = None,
    *,
    workers: int = 1,
) -> list[Task]:
    """Return the tasks for these splits, in order.

    Args:
        root: a folder with `train/` or `val/`, one with `images.txt`, or one with the Parquet shards of a dataset.
        splits: of `train` and `validation`.
        shards: how many to make of each split of a folder; where it says nothing, `enough_shards`. Parquet shards
            keep their own number.
        columns: of Parquet shards; by default found by their names and types.
        workers: processes that shall have something to do.

    Raises:
        NotFoundError: a split or its images are missing.
        ConfigurationError: no images, fewer images than shards, images for which no keys can be made, or
            classes of which only some are ImageNet-1k's.
        SourceError: a Parquet shard is damaged, or it is not known which columns are meant.
    """
    folder = open_images(root)
    if any(folder.has(split) for split in SPLITS):
        classes = folder_classes(folder)
        counts = shards if isinstance(shards, Mapping) else dict.fromkeys(splits, shards)
        parts = (_folder_tasks(folder, split, counts.get(split), classes, workers) for split in splits)
        return [task for part in parts for task in part]
    paths = {split: shard_files(root, split) for split in splits}
    firsts = [files[0] for files in paths.values()]
    found = columns_of(firsts, columns or Columns())
    classes = parquet_classes(firsts, found.label or "label")
    return [task for split, files in paths.items() for task in _parquet_tasks(root, split, files, classes, found)]


def columns_of(shards: Sequence[Path], columns: Columns) -> Columns:
    """Return the columns that are meant, which all shards must have.

    Raises:
        NotFoundError: a shard is gone.
        SourceError: a shard is damaged, or several columns may be meant.
    """
    for path in shards:
        with damage_named(path):
            schema = pq.read_schema(path)
        image, label = columns.found_in(schema, str(path))
        columns = Columns(image=image, label=label)
    return columns


def enough_shards(images: int, workers: int) -> int:
    """Return how many shards to make of a folder: one for every 4,096 images, and one for each worker.

    Few images make fewer, of 64 at least, for a process takes longer to begin than those.
    """
    return max(-(-images // IMAGES_PER_SHARD), min(workers, images // FEWEST_PER_SHARD), 1)


def _folder_tasks(folder: ImageFiles, split: str, shards: int | None, classes: Classes, workers: int) -> list[Task]:
    images = with_keys(folder.list(split))
    count = shards or enough_shards(len(images), workers)
    if not 1 <= count <= len(images):
        what = f"{folder.root}, split {split}: too few images"
        raise ConfigurationError(explain(what, found=len(images), allowed=f"at least {max(1, count)}"))
    edges = [len(images) * index // count for index in range(count + 1)]
    return [
        Task(split=split, index=i, count=count, images=tuple(images[edges[i] : edges[i + 1]]), classes=classes)
        for i in range(count)
    ]


def _parquet_tasks(root: Path, split: str, paths: Sequence[Path], classes: Classes, columns: Columns) -> list[Task]:
    by_row = not names_are_keys(paths, columns)
    return [
        Task(
            split=split,
            index=index,
            count=len(paths),
            images=path,
            classes=classes,
            source=path.relative_to(root).as_posix(),
            columns=columns,
            by_row=by_row,
        )
        for index, path in enumerate(paths)
    ]


def with_keys(images: Sequence[ImageRef]) -> Sequence[ImageRef]:
    """Return them with keys that differ: the files' names, or these after those of their classes.

    Raises:
        ConfigurationError: these do not differ, either.
    """
    if len({image.key for image in images}) == len(images):
        return images
    names = {(image.folder_class, image.key) for image in images}
    keyed = [replace(one, key=key_with_class(one.folder_class, one.key)) for one in images]
    seen: dict[str, Path] = {}
    for one in keyed:
        if seen.setdefault(one.key, one.path) != one.path or (one.folder_class, one.key) in names:
            what = "an image's key, made of its class and its name, is that of another image"
            raise ConfigurationError(explain(what, found=f"{one.key} of {one.path}", then="Rename one of them."))
    return keyed


def names_are_keys(shards: Sequence[Path], columns: Columns) -> bool:
    """Return whether the names of all images of a split are keys: there, different, and unlike those made of rows."""
    seen: set[str] = set()
    for path in shards:
        keys = keys_in_shard(path, name=path.name, columns=columns)
        names = {key for key in keys if key is not None}
        if len(names) < len(keys) or names & seen or (names and are_of_rows(names, path.name)):
            return False
        seen |= names
    return True
