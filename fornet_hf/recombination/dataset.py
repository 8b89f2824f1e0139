"""Prepared datasets as `datasets` gives them, with epochs, and with rows where examples would be a waste.

`ds.epoch = 3` reaches the recombination and all its workers.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import datasets

from fornet_hf.errors import explain
from fornet_hf.features import example_features, with_lazy_images
from fornet_hf.recombination.columns import Rows
from fornet_hf.recombination.epochs import clocks_of, find_clocks, set_epoch
from fornet_hf.recombination.recombiner import NEEDED, Recombiner


class PreparedDataset(datasets.Dataset):  # type: ignore[misc]  # datasets has no types
    """A prepared ForNet dataset. Set `epochs` once and `epoch` before each epoch, from 0.

    Both reach the `Recombine` which was set as transform, also in workers that already run. Datasets derived by
    the methods below keep them; for any other (concatenated, say) there is `fornet_hf.set_epoch`.

    Where a `Recombine` is set, single columns (`ds["label"]`), `filter` and `map` are about the rows as they are
    stored, not about examples; and the columns that it needs stay when others are removed.
    """

    @property
    def epoch(self) -> float:
        """The current epoch, from 0."""
        return clocks_of(self)[0].epoch

    @epoch.setter
    def epoch(self, value: float) -> None:
        set_epoch(self, value)

    @property
    def epochs(self) -> float | None:
        """The number of epochs of the training; None if it was not set."""
        return clocks_of(self)[0].epochs

    @epochs.setter
    def epochs(self, value: float | None) -> None:
        for clock in clocks_of(self):
            clock.epochs = value

    def set_epoch(self, epoch: float) -> None:
        """Set the epoch if anything is recombined: the name by which training libraries look for it."""
        for clock in find_clocks(self):
            clock.epoch = epoch

    def __getitem__(self, key: Any) -> Any:
        """Rows, or examples, by their numbers; by its name a column as it is stored."""
        if isinstance(key, str) and _recombiner(self) is not None:
            return self.with_format(None)[key]
        return super().__getitem__(key)

    def __getitems__(self, keys: Sequence[int]) -> list[Any]:
        """Return several rows, or examples, as a DataLoader asks for them: without opening images for nothing."""
        recombiner = _recombiner(self)
        rows = None if recombiner is None else self._stored(recombiner)
        if recombiner is None or rows is None:
            found: list[Any] = super().__getitems__(keys)
            return found
        places = [_checked(key, len(self)) for key in keys]
        return recombiner.examples(rows[place] for place in places)

    def _stored(self, recombiner: Recombiner) -> Rows | None:
        """Return the rows for a recombination; None where it takes what `datasets` makes of them."""
        keep = recombiner.hooks.keep
        changed = type(recombiner).__call__ is not Recombiner.__call__ or self.format["columns"] != self.column_names
        if changed or any(isinstance(self.features.get(name), datasets.Image) for name in keep):
            return None
        names = dict.fromkeys((*NEEDED, *keep))
        kept: Rows | None = vars(self).get("_rows")
        if kept is None or not kept.belong_to(self, names):
            self._rows = kept = Rows(self, names)
        return kept if kept.complete else None

    def select_columns(self, column_names: str | Sequence[str], *args: Any, **kwargs: Any) -> Any:
        """Select columns. Those that recombining needs stay."""
        names = [column_names] if isinstance(column_names, str) else list(column_names)
        kept = [name for name in self._needed() if name not in names]
        return super().select_columns(names + _told(kept), *args, **kwargs)

    def remove_columns(self, column_names: str | Sequence[str], *args: Any, **kwargs: Any) -> Any:
        """Remove columns. Those that recombining needs stay: examples do not consist of the columns of rows."""
        names = [column_names] if isinstance(column_names, str) else list(column_names)
        kept = _told([name for name in self._needed() if name in names])
        return super().remove_columns([name for name in names if name not in kept], *args, **kwargs)

    def _needed(self) -> list[str]:
        recombiner = _recombiner(self)
        needed = () if recombiner is None else (*NEEDED, *recombiner.hooks.keep)
        return [name for name in dict.fromkeys(needed) if name in self.column_names]

    def save_to_disk(self, *args: Any, **kwargs: Any) -> None:
        """Save the rows. The transform is not saved (it has no JSON form): set it again after loading."""
        super(PreparedDataset, self.with_format(None)).save_to_disk(*args, **kwargs)

    def to_iterable_dataset(self, *args: Any, **kwargs: Any) -> Any:
        """Return the examples as `IterableDataset`; backgrounds still come from all rows."""
        rows = super(PreparedDataset, self.with_format(None)).to_iterable_dataset(*args, **kwargs)
        rows._split = self.split  # noqa: SLF001  # which `datasets` forgets
        transform = self.format["format_kwargs"].get("transform")
        if transform is None:
            return rows
        features = example_features(self.features, transform.hooks) if isinstance(transform, Recombiner) else None
        columns = self.column_names
        return as_examples(rows.map(transform, batched=True, batch_size=1, remove_columns=columns, features=features))


class PreparedStream(datasets.IterableDataset):  # type: ignore[misc]
    """A streamed ForNet dataset: its epoch, and so that of what its methods derive, reaches the recombination."""

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, from 0, of the order and of the recombination."""
        super().set_epoch(epoch)
        for clock in find_clocks(self):
            clock.epoch = epoch


def _checked(key: int, length: int) -> int:
    """Return the number of a row, from 0; raise IndexError if there is none."""
    place = operator.index(key)
    if not -length <= place < length:
        raise IndexError(f"no row {place}; there are {length}")
    return place % length


def _recombiner(dataset: datasets.Dataset) -> Recombiner | None:
    transform = dataset.format["format_kwargs"].get("transform")
    return transform if isinstance(transform, Recombiner) else None


def _told(kept: list[str]) -> list[str]:
    """Return these columns after saying that they stay."""
    if kept:
        then = "Labels alone: ds['label']. Rows: ds.with_format(None)."
        message = explain("columns stay which recombining needs", found=", ".join(kept), then=then)
        warnings.warn(message, stacklevel=3)
    return kept


def _derived(kind: type, name: str) -> Any:
    method = getattr(kind, name)

    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        return as_prepared(method(self, *args, **kwargs))

    wrapper.__name__, wrapper.__doc__ = name, method.__doc__
    return wrapper


def _on_rows(name: str) -> Any:
    method = getattr(datasets.Dataset, name)

    def wrapper(self: PreparedDataset, *args: Any, **kwargs: Any) -> Any:
        recombiner = _recombiner(self)
        if recombiner is None:
            return as_prepared(method(self, *args, **kwargs))
        return as_prepared(method(self.with_format(None), *args, **kwargs)).with_transform(recombiner)

    wrapper.__name__, wrapper.__doc__ = name, method.__doc__
    return wrapper


_DERIVED = ("select", "shuffle", "shard", "sort", "skip", "take", "repeat", "train_test_split")
for _name in (*_DERIVED, "add_column", "add_item"):
    setattr(PreparedDataset, _name, _derived(datasets.Dataset, _name))
for _name in ("map", "filter"):
    setattr(PreparedDataset, _name, _on_rows(_name))
_STREAMED = (
    "map filter shuffle skip take repeat shard reshard batch decode with_format "
    "add_column rename_column rename_columns remove_columns select_columns cast_column cast"
)
for _name in _STREAMED.split():
    if hasattr(datasets.IterableDataset, _name):  # some are newer than datasets 3.6
        setattr(PreparedStream, _name, _derived(datasets.IterableDataset, _name))


def as_examples(stream: datasets.IterableDataset) -> datasets.IterableDataset:
    """Return the same object, a stream of examples with features, now with an epoch.

    Its features are only for what joins streams: `datasets` 3.6 would else encode and decode images at every step.
    """
    stream._info.features = None  # noqa: SLF001  # those of the mapping stay, as after any mapping without features
    return as_prepared(stream)


def as_prepared(dataset: Any) -> Any:
    """Return the same object (or each of a dict), now a PreparedDataset with lazy images, or a PreparedStream."""
    if isinstance(dataset, Mapping):
        for part in dataset.values():
            as_prepared(part)
    elif type(dataset) is datasets.Dataset:
        dataset.__class__ = PreparedDataset
        with_lazy_images(dataset)
    elif type(dataset) is datasets.IterableDataset:
        dataset.__class__ = PreparedStream
    return dataset
