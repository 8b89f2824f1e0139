"""`datasets.Dataset` with an epoch: `ds.epoch = 3` reaches the recombination and all its workers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import datasets

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.features import with_lazy_images
from fornet_hf.recombination.clock import Clock


class PreparedDataset(datasets.Dataset):  # type: ignore[misc]  # datasets has no types
    """A prepared ForNet dataset. Set `epochs` once and `epoch` before each epoch, from 0.

    Both reach the `Recombine` which was set as transform, also in workers that already run. Datasets derived by
    the methods below keep them; for any other (concatenated, say) there is `fornet_hf.set_epoch`.
    """

    @property
    def epoch(self) -> float:
        """The current epoch, from 0."""
        return clock_of(self).epoch

    @epoch.setter
    def epoch(self, value: float) -> None:
        clock_of(self).epoch = value

    @property
    def epochs(self) -> float | None:
        """The number of epochs of the training; None if it was not set."""
        return clock_of(self).epochs

    @epochs.setter
    def epochs(self, value: float | None) -> None:
        clock_of(self).epochs = value

    def save_to_disk(self, *args: Any, **kwargs: Any) -> None:
        """Save the rows. The transform is not saved (it has no JSON form): set it again after loading."""
        super(PreparedDataset, self.with_format(None)).save_to_disk(*args, **kwargs)

    def to_iterable_dataset(self, *args: Any, **kwargs: Any) -> datasets.IterableDataset:
        """The examples as `IterableDataset`; backgrounds still come from all rows."""
        rows = super(PreparedDataset, self.with_format(None)).to_iterable_dataset(*args, **kwargs)
        transform = self.format["format_kwargs"].get("transform")
        if transform is None:
            return rows
        return rows.map(transform, batched=True, batch_size=1, remove_columns=self.column_names, features=None)


def _derived(name: str) -> Any:
    method = getattr(datasets.Dataset, name)

    def wrapper(self: datasets.Dataset, *args: Any, **kwargs: Any) -> Any:
        return as_prepared(method(self, *args, **kwargs))

    wrapper.__name__, wrapper.__doc__ = name, method.__doc__
    return wrapper


_DERIVED = ("select", "shuffle", "shard", "sort", "skip", "take", "repeat", "train_test_split", "map")
for _name in (*_DERIVED, "add_column", "add_item"):
    setattr(PreparedDataset, _name, _derived(_name))


def as_prepared(dataset: Any) -> Any:
    """The same object (Dataset, or each of a DatasetDict), now a `PreparedDataset` with lazy pictures."""
    if isinstance(dataset, Mapping):
        for part in dataset.values():
            as_prepared(part)
    elif type(dataset) is datasets.Dataset:
        dataset.__class__ = PreparedDataset
        with_lazy_images(dataset)
    return dataset


def clock_of(dataset: Any) -> Clock:
    """The clock of the recombination that a dataset, streamed or not, goes through.

    Raises:
        ConfigurationError: there is none.
    """
    own = getattr(dataset, "clock", None)
    if isinstance(own, Clock):  # a ForNetDataset of files
        return own
    if isinstance(dataset, datasets.IterableDataset):
        steps = list(_steps(dataset._ex_iterable))  # noqa: SLF001  # nothing public leads to a mapped function
    else:
        steps = [dataset.format["format_kwargs"].get("transform")]
    for step in steps:
        clock = getattr(step, "clock", None)
        if isinstance(clock, Clock):
            return clock
    raise ConfigurationError(
        explain(
            "epochs belong to the recombination, and this dataset has none",
            found=f"transform {steps}",
            then="Call ds.set_transform(Recombine(ds, ...)) first.",
        )
    )


def _steps(examples: Any) -> Iterator[Any]:
    """The functions mapped over a stream, the last one first."""
    yield getattr(examples, "function", None)
    for source in (getattr(examples, "ex_iterable", None), *getattr(examples, "ex_iterables", ())):
        if source is not None:
            yield from _steps(source)


def set_epoch(dataset: Any, epoch: float, epochs: float | None = None) -> None:
    """Tell a recombined dataset, and all its workers, the epoch.

    Args:
        dataset: a Dataset, also one derived by select, shuffle, split, shard or concatenate; an IterableDataset,
            which is also shuffled for that epoch; or a dict of them.
        epoch: from 0.
        epochs: their number, if it was not said before.

    Raises:
        ConfigurationError: no recombination is set, or a number that is not allowed.
    """
    for part in dataset.values() if isinstance(dataset, Mapping) else (dataset,):
        clock = clock_of(part)
        if epochs is not None:
            clock.epochs = epochs
        clock.epoch = epoch
        if isinstance(part, datasets.IterableDataset):
            part.set_epoch(int(epoch))
