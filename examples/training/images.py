"""Labelled images that are not ForNet's: class folders, or a repository of the Hub. They are shown as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import torch
from torch.utils.data import Dataset

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.format.raster import decode_rgb
from fornet_hf.sources import FolderSource
from training.augment import MEAN, STD, Colour, whole_transform
from training.config import TrainConfig

_SPLITS = {"train": ("train",), "validation": ("validation", "val", "test")}
"""Names that a repository may have for a split; the first that is there is taken."""


@dataclass(frozen=True)
class Images(Dataset[Any]):
    """Images and labels of a split.

    Attributes:
        files: of each image: its path, or the bytes of its file.
        labels: class of each image.
        classes: names of the classes, in the order of their numbers.
        transform: makes bytes (3 x height x width) of an RGB image; each is `{"image": ..., "label": ...}`.
    """

    files: Sequence[Path] | _Stored
    labels: Sequence[int]
    classes: tuple[str, ...]
    transform: Callable[[Any], torch.Tensor]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, number: int) -> dict[str, Any]:
        file = self.files[number]
        data = file if isinstance(file, bytes) else file.read_bytes()
        return {"image": self.transform(decode_rgb(data)), "label": int(self.labels[number])}


class _Stored:
    """A column of images of `datasets`, as the bytes of their files, or the paths."""

    def __init__(self, rows: Any, name: str) -> None:
        self._rows, self._name = rows.select_columns([name]).cast_column(name, datasets.Image(decode=False)), name

    def __getitem__(self, number: int) -> bytes | Path:
        image = self._rows[number][self._name]
        return Path(image["path"]) if image["bytes"] is None else bytes(image["bytes"])


def open_images(config: TrainConfig, split: str) -> Images:
    """Open the images that a configuration names; for validation without augmentation.

    Raises:
        NotFoundError: there is no such folder, repository or split.
        ForNetError: no classes can be told.
    """
    place = str(config.images)
    transform = whole_transform(config) if split == "train" else evaluation_transform(config)
    folder = Path(place).expanduser()
    source = FolderSource(folder)
    if not source.has("train"):
        return _of_datasets(place, split, config.cache_dir, transform)
    classes = source.classes("train")
    if strange := sorted(set(source.classes(split)) - set(classes)):
        found, allowed = ", ".join(strange), ", ".join(classes)
        raise ConfigurationError(explain(f"{folder}: classes without training images", found=found, allowed=allowed))
    numbers = {name: number for number, name in enumerate(classes)}
    listed = source.list(split)
    files = [one.path for one in listed]
    return Images(files, [numbers[one.folder_class] for one in listed], tuple(classes), transform)


def evaluation_transform(config: TrainConfig) -> Callable[[Any], torch.Tensor]:
    """Return what evaluation does to an image: the square in the middle, as bytes."""
    return partial(_prepared, preprocessing(config))


def _prepared(seen: Preprocessing, image: Any) -> torch.Tensor:
    return torch.from_numpy(seen.prepared(image))


def preprocessing(config: TrainConfig, mean: Colour = MEAN, std: Colour = STD) -> Preprocessing:
    """Return the images that the model of a run expects."""
    return Preprocessing(size=config.size, crop=config.centre, interpolation="bilinear", mean=mean, std=std)


def _of_datasets(place: str, split: str, cache_dir: str | None, transform: Callable[[Any], torch.Tensor]) -> Images:
    try:
        every = datasets.load_dataset(place, cache_dir=cache_dir)
    except (OSError, ValueError) as error:  # as datasets says that there is none, or that it cannot be reached
        then = "Name a folder with train/CLASS/IMAGE, or a repository of images and labels."
        raise NotFoundError(explain(f"no images in {place}", found=error, then=then)) from error
    name = next((name for name in _SPLITS[split] if name in every), None)
    if name is None:
        raise NotFoundError(explain(f"{place} has no images for {split}", found=", ".join(every)))
    rows = every[name]
    image, label = (_column(rows.features, kind, place) for kind in (datasets.Image, datasets.ClassLabel))
    return Images(_Stored(rows, image), list(rows[label]), tuple(rows.features[label].names), transform)


def _column(features: Any, kind: type, place: str) -> str:
    """Return the first column of a kind."""
    names = [name for name, feature in features.items() if isinstance(feature, kind)]
    if not names:
        found, allowed = ", ".join(features), "a column of datasets.Image, and one of datasets.ClassLabel"
        raise ConfigurationError(explain(f"{place} has no labelled images", found=found, allowed=allowed))
    return str(names[0])
