"""The data of an evaluation: what is shown to classifiers, wherever it lies."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import datasets
import pyarrow as pa

from fornet_hf.builder.load import load_dataset
from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.data.folders import ImagesData, rows_of_folder
from fornet_hf.evaluation.data.trees import is_tree, read_tree
from fornet_hf.evaluation.stimuli.conditions import Condition
from fornet_hf.evaluation.stimuli.protocol import Stimuli
from fornet_hf.evaluation.stimuli.rows import Rows
from fornet_hf.format.manifest import MANIFEST, PATCHES
from fornet_hf.hub.location import locate
from fornet_hf.layout.paths import splits_in
from fornet_hf.recombination.dataset import as_prepared
from fornet_hf.recombination.recombiner import NEEDED
from fornet_hf.release.release import open_release
from fornet_hf.sources.image import split_names

_SPLITS = ("train", "val", "validation")
_TOGETHER = 256  # rows that are read at once


class Data(Protocol):
    """One split of a set of images."""

    @property
    def name(self) -> str:
        """Name in results: as it was asked for."""

    @property
    def split(self) -> str:
        """Name of the split."""

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the classes in label order."""

    @property
    def fingerprint(self) -> str:
        """Digest of the images and labels."""

    def lacks(self, conditions: Mapping[str, Condition]) -> str:
        """Say why these conditions cannot be shown and what to do about it; empty: they can."""

    def stimuli(self, conditions: Mapping[str, Condition], config: EvaluationConfig) -> Stimuli:
        """Return the images of these conditions.

        Raises:
            ConfigurationError: they cannot be shown; the message is that of `lacks`.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class RowsData:
    """Rows of a ForNet, of which all conditions can be shown.

    Attributes:
        name: as it was asked for.
        split: of the rows.
        rows: a `datasets.Dataset` of prepared rows, as `fornet_hf.load_dataset` returns it without recombination.
        class_names: names of the classes in label order.
        fingerprint: of the release, or of the rows.
    """

    name: str
    split: str
    rows: Any
    class_names: Sequence[str]
    fingerprint: str

    @classmethod
    def of(cls, rows: Any, split: str, name: str, fingerprint: str | None = None) -> RowsData:
        """Return the data of a prepared dataset.

        Raises:
            ConfigurationError: it is no dataset of prepared rows, or it is recombined already.
        """
        if not isinstance(rows, datasets.Dataset) or not set(NEEDED) <= set(rows.column_names):
            found = getattr(rows, "column_names", type(rows).__name__)
            raise ConfigurationError(explain("these are no rows of a ForNet", found=found, allowed=list(NEEDED)))
        names = list(rows.features["label"].names)
        return cls(name=name, split=split, rows=rows, class_names=names, fingerprint=fingerprint or content(rows))

    def lacks(self, conditions: Mapping[str, Condition]) -> str:
        """Say nothing: all can be shown, and without any the rows' masks."""
        del conditions
        return ""

    def stimuli(self, conditions: Mapping[str, Condition], config: EvaluationConfig) -> Rows:
        """Return the images of these conditions."""
        return Rows(
            self.rows,
            conditions,
            seed=config.seed,
            draws=config.draws,
            class_names=self.class_names,
            fingerprint=self.fingerprint,
        )


def open_data(
    place: Any,
    split: str = "validation",
    *,
    imagenet_dir: str | Path | None = None,
    cache_dir: str | Path | None = None,
    revision: str | None = None,
) -> Data:
    """Open data wherever they lie.

    Args:
        place: a folder that `fornet apply` made or `datasets` saved; patches in a folder or on the Hub; a folder with
            variants of ImageNet-9; class folders of images; a `datasets.Dataset` of rows, or a dict of them by split;
            or opened data.
        split: `train` or `validation`.
        imagenet_dir: the images of patches.
        cache_dir: where prepared rows are kept; default: that of `datasets`.
        revision: branch, tag or commit of a repository.

    Raises:
        NotFoundError: there is nothing of the kind, or not this split.
        ConfigurationError: these are no data, or they are streamed.
        ForNetError: patches, images or the Hub are not as they must be.
    """
    if isinstance(place, Mapping):
        if split not in place:
            raise NotFoundError(explain(f"no split {split!r} in the data", found=", ".join(map(str, place))))
        place = place[split]
    if isinstance(place, datasets.Dataset):
        return RowsData.of(place, _split_of(place, split), place.info.dataset_name or "rows")
    if isinstance(place, datasets.IterableDataset):
        then = "Load them without streaming=True."
        raise ConfigurationError(explain("streamed rows cannot be evaluated", found=type(place).__name__, then=then))
    if not isinstance(place, (str, Path)):
        if not hasattr(place, "stimuli"):
            allowed = "a folder, a repository, or a datasets.Dataset of rows"
            raise ConfigurationError(explain("these are no data", found=type(place).__name__, allowed=allowed))
        data: Data = place
        return data
    name, folder = str(place), Path(place).expanduser()
    rows = _saved(folder, split)
    if rows is None and splits_in(folder):
        rows = rows_of_folder(folder, split, cache_dir)
    if rows is not None:
        return RowsData.of(as_prepared(rows), _split_of(rows, split), name)
    if not folder.is_dir() or _has_patches(folder):
        return _of_patches(name, split, imagenet_dir, cache_dir, revision)
    return read_tree(folder, split, name=name) if is_tree(folder) else ImagesData.open(folder, split, name)


def content(rows: Any) -> str:
    """Return a digest of rows: of all their columns, images included."""
    result = hashlib.sha256()
    for table in rows.select_columns(list(NEEDED)).with_format("arrow").iter(_TOGETHER):
        for name in NEEDED:
            for value in _plain(table[name]):
                data = value if isinstance(value, bytes) else repr(value).encode()
                result.update(b"%d " % len(data))
                result.update(data)
    return result.hexdigest()[:16]


def _plain(column: pa.ChunkedArray) -> list[Any]:
    """Return the values of a column; of images the bytes."""
    if pa.types.is_struct(column.type):
        column = pa.chunked_array([chunk.field("bytes") for chunk in column.chunks])
    values: list[Any] = column.to_pylist()
    return values


def _of_patches(
    place: str, split: str, imagenet_dir: str | Path | None, cache_dir: str | Path | None, revision: str | None
) -> RowsData:
    patches = f"{place}@{revision}" if revision else place
    release = open_release(locate(patches))
    release.chosen(split)
    rows = load_dataset(patches=patches, imagenet_dir=imagenet_dir, split=split, cache_dir=cache_dir)
    return RowsData.of(rows, split, place, release.fingerprint(split))


def _has_patches(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (MANIFEST, f"{PATCHES}/{MANIFEST}", "val.zip", "train_0.zip"))


def _split_of(rows: Any, split: str) -> str:
    """Return the split that rows are of, of which `train[:100]` is a part; where they do not say, the given one."""
    return str(rows.split or split).partition("[")[0]


def _saved(folder: Path, split: str) -> Any:
    """Return the rows of a folder that `datasets` saved; None: it is none.

    Raises:
        NotFoundError: it has other splits.
    """
    if (folder / "state.json").is_file():
        rows = datasets.load_from_disk(str(folder))
        own = _split_of(rows, split)
        if own in _SPLITS and own not in split_names(split):
            then = f"Add --split {own}."
            raise NotFoundError(explain(f"no split {split!r} in {folder}", found=[own], then=then))
        return rows
    if (folder / split / "state.json").is_file():
        return datasets.load_from_disk(str(folder / split))
    if (folder / "dataset_dict.json").is_file():
        found = sorted(path.parent.name for path in folder.glob("*/state.json"))
        raise NotFoundError(explain(f"no split {split!r} in {folder}", found=found))
    return None
