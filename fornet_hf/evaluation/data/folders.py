"""Folders of images as data of an evaluation: class folders, and what `fornet apply` made."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fornet_hf.errors import ConfigurationError, NotFoundError, SourceError, explain
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.stimuli.conditions import ORIGINAL, Condition
from fornet_hf.evaluation.stimuli.protocol import Shown, View
from fornet_hf.features import row_features
from fornet_hf.files import sha256_of
from fornet_hf.format.raster import decode_rgb
from fornet_hf.layout.dataset import ForNetDataset
from fornet_hf.layout.paths import SPLITS
from fornet_hf.release.interface import short_digest
from fornet_hf.sources import FolderSource, ImageRef


@dataclass(frozen=True, kw_only=True)
class ImagesData:
    """Class folders of images, whose objects are not known: originals alone can be shown.

    Attributes:
        name: as it was asked for.
        split: of the images.
        images: of all classes.
        class_names: the class folders, sorted.
        fingerprint: digest of the names and contents of all files.
    """

    name: str
    split: str
    images: Sequence[ImageRef]
    class_names: Sequence[str]
    fingerprint: str

    @classmethod
    def open(cls, folder: Path, split: str, name: str) -> ImagesData:
        """Open FOLDER/SPLIT/CLASS/IMAGE, or FOLDER/CLASS/IMAGE where there are no splits.

        Raises:
            NotFoundError: there are no class folders, or no images in them.
            SourceError: the split has two folders, or an image two files.
        """
        source, inside = FolderSource(folder), split
        if not source.has(split) and not any(source.has(other) for other in ("train", "validation")):
            source, inside = FolderSource(folder.absolute().parent), folder.absolute().name
        images = source.list(inside)
        if not images:
            raise NotFoundError(explain(f"no images in the class folders of {folder}", then="Look at their endings."))
        entries = [(one.folder_class, one.path.name, sha256_of(one.path)) for one in images]
        classes = source.classes(inside)
        return cls(name=name, split=split, images=images, class_names=classes, fingerprint=short_digest(entries))

    def lacks(self, conditions: Mapping[str, Condition]) -> str:
        """Say why these conditions cannot be shown; empty: they can."""
        if set(conditions) == {ORIGINAL}:
            return ""
        found = f"{self.name}, a folder of images whose objects are not known"
        then = "Take a ForNet of these images: --data PATCHES --imagenet-dir IMAGES, or what fornet apply made"
        return explain("foregrounds and backgrounds are needed", found=found, then=then)

    def stimuli(self, conditions: Mapping[str, Condition], config: EvaluationConfig) -> Images:
        """Return the images.

        Raises:
            ConfigurationError: another condition.
        """
        del config  # nothing is drawn
        if reason := self.lacks(conditions):
            raise ConfigurationError(reason)
        return Images(self)


@dataclass(frozen=True)
class Images:
    """The images as stimuli; `Stimuli`. One that cannot be decoded is not shown, and counted."""

    data: ImagesData

    @property
    def conditions(self) -> Sequence[str]:
        """The only condition."""
        return [ORIGINAL]

    @property
    def keys(self) -> Sequence[str]:
        """Class folder and key of each image."""
        return [f"{image.folder_class}/{image.key}" for image in self.data.images]

    sources = keys

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """Number of each image's class folder."""
        numbers = {name: number for number, name in enumerate(self.data.class_names)}
        return np.array([numbers[image.folder_class] for image in self.data.images], np.int64)

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the class folders."""
        return self.data.class_names

    @property
    def fingerprint(self) -> str:
        """Digest of the names and contents of all files."""
        return self.data.fingerprint

    def shown(self, item: int, preprocessing: Preprocessing) -> Shown:
        """Return an image."""
        try:
            image = decode_rgb(self.data.images[item].path.read_bytes())
        except SourceError:
            return Shown([], {0: "the file cannot be decoded"})
        return Shown([View(0, preprocessing.prepared(image))], {})


def rows_of_folder(root: Path, split: str, cache_dir: str | Path | None = None) -> Any:
    """Return all rows of a folder or of zips that `fornet apply` made, as a prepared dataset.

    The layout does not tell where the objects were, so originals cannot be shown. The first call copies the files
    into the cache of `datasets`; so does one after any of them has changed.
    """
    import datasets

    from fornet_hf.layout.samples import class_labels

    dataset = ForNetDataset(root, train=split == "train")
    stamp = hashlib.sha256()
    for path in sorted({*root.glob("*.json"), *root.glob("*.zip"), *(root / SPLITS[split]).rglob("*")}):
        if path.is_file():
            state = path.stat()
            stamp.update(repr((str(path.relative_to(root)), state.st_size, state.st_mtime_ns)).encode())
    return datasets.Dataset.from_generator(
        _rows,
        features=row_features(class_labels(dataset.classes)),
        cache_dir=None if cache_dir is None else str(cache_dir),
        gen_kwargs={"root": str(root.absolute()), "split": split, "stamp": stamp.hexdigest()},
        split=split,
    )


def _rows(root: str, split: str, stamp: str) -> Iterator[dict[str, Any]]:
    del stamp  # by it, `datasets` tells this folder from what it was
    dataset = ForNetDataset(root, train=split == "train")
    for index in range(len(dataset)):
        row = dataset.row(index)
        background = None if row["own"] is None else dataset.background(row["own"])
        foreground = io.BytesIO()
        row["foreground"].save(foreground, "WEBP", lossless=True, method=0)
        columns = {name: row[name] for name in ("key", "label", "mask", "foreground_ratio", "box")}
        image = {"bytes": foreground.getvalue(), "path": None}
        yield {**columns, "foreground": image, "background": background and {"bytes": background, "path": None}}
