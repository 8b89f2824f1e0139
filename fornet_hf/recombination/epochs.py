"""The epoch, told to every recombination that a dataset goes through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import datasets

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.recombination.draw.clock import Clock


def set_epoch(dataset: Any, epoch: float, epochs: float | None = None) -> None:
    """Tell every recombination of a dataset, and all its workers, the epoch.

    Args:
        dataset: a Dataset, also one derived by select, shuffle, split, shard or concatenate; an IterableDataset,
            also interleaved, which is also shuffled for that epoch; a dict of them; or a Subset, ConcatDataset or
            DataLoader of torch around them. Where accelerate prepared a loader, give that: it tells its dataset a
            count of its own, which begins at 0 in a resumed run and leaves out epochs that were left early.
        epoch: from 0.
        epochs: their number, if it was not said before.

    Raises:
        ConfigurationError: no recombination is set, or a number that is not allowed.

    Example:
        >>> import fornet_hf
        >>> ds = fornet_hf.load_dataset(patches="demo/made/patches", imagenet_dir="demo/pictures", split="train")
        >>> ds.set_transform(fornet_hf.Recombine(ds, orig_img_prob="linear"))
        >>> fornet_hf.set_epoch(ds, 3, epochs=10)
        >>> ds.epoch, ds.epochs
        (3.0, 10.0)
    """
    for part in _unwrapped(dataset):
        if hasattr(part, "iteration") and hasattr(part, "set_epoch"):
            part.set_epoch(int(epoch))  # a loader of accelerate
    for part in dataset.values() if isinstance(dataset, Mapping) else (dataset,):
        for clock in clocks_of(part):
            if epochs is not None:
                clock.epochs = epochs
            clock.epoch = epoch
    for part in _unwrapped(dataset):
        if isinstance(part, datasets.IterableDataset):
            datasets.IterableDataset.set_epoch(part, int(epoch))


def clocks_of(dataset: Any) -> list[Clock]:
    """Return the clocks of all recombinations that a dataset goes through; at least one.

    Raises:
        ConfigurationError: there is none.
    """
    clocks = find_clocks(dataset)
    if not clocks:
        raise ConfigurationError(
            explain(
                "epochs belong to the recombination, and this dataset has none",
                found=repr(dataset),
                allowed="a recombined dataset, a dict of them, or a DataLoader",
                then="Call ds.set_transform(Recombine(ds, ...)) first.",
            )
        )
    return clocks


def find_clocks(dataset: Any) -> list[Clock]:
    """Return the clocks of all recombinations that a dataset goes through, each once."""
    clocks = [getattr(step, "clock", None) for part in _unwrapped(dataset) for step in _steps(part)]
    return list({id(clock): clock for clock in clocks if isinstance(clock, Clock)}.values())


def _unwrapped(dataset: Any) -> Iterator[Any]:
    """Yield the datasets in dicts, and in wrappers of torch: Subset, ConcatDataset, DataLoader, ..."""
    if isinstance(dataset, (datasets.Dataset, datasets.IterableDataset)):
        yield dataset
    elif isinstance(dataset, Mapping):
        for part in dataset.values():
            yield from _unwrapped(part)
    else:
        yield dataset  # perhaps a ForNetDataset of files
        for part in (getattr(dataset, "dataset", None), *(getattr(dataset, "datasets", None) or ())):
            if part is not None:
                yield from _unwrapped(part)


def _steps(dataset: Any) -> Iterator[Any]:
    """Yield what may have a clock: the dataset itself, or the functions that it goes through."""
    if isinstance(dataset, datasets.IterableDataset):
        yield from _functions(dataset._ex_iterable)  # noqa: SLF001  # nothing public leads to a mapped function
    elif isinstance(dataset, datasets.Dataset):
        yield dataset.format["format_kwargs"].get("transform")
    else:
        yield dataset


def _functions(examples: Any) -> Iterator[Any]:
    """Yield the functions mapped over a stream, the last one first."""
    yield getattr(examples, "function", None)
    for source in (getattr(examples, "ex_iterable", None), *getattr(examples, "ex_iterables", ())):
        if source is not None:
            yield from _functions(source)
