"""Batches of equal shape, halved for good when a device's memory runs out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_log = logging.getLogger(__name__)


@dataclass
class BatchSize:
    """The number of images that a model gets at a time; a model keeps one, so that what memory allows is found once.

    Attributes:
        value: at least 1; halved when a batch runs out of memory.
    """

    value: int


def run_batched(
    items: Sequence[Item],
    run: Callable[[list[Item]], Sequence[Result]],
    *,
    size: BatchSize,
    key: Callable[[Item], Hashable] = lambda _: None,
) -> list[Result]:
    """Return the results of `run`, in the order of the items.

    Only items of equal key meet in a batch, and at most `size` of them. When a batch runs out of memory it is
    halved, and so are those after it, also those of later calls with the same `size`.

    Raises:
        torch.OutOfMemoryError: a batch of one item runs out of memory; a RuntimeError if it was not torch's own.
    """
    groups: dict[Hashable, list[int]] = {}
    for index, item in enumerate(items):
        groups.setdefault(key(item), []).append(index)
    results: dict[int, Result] = {}
    waiting = list(reversed(groups.values()))
    while waiting:
        group = waiting.pop()
        batch, rest = group[: size.value], group[size.value :]
        if rest:
            waiting.append(rest)
        try:
            found = run([items[index] for index in batch])
        except Exception as error:
            if not is_out_of_memory(error) or len(batch) == 1:
                raise
            size.value = len(batch) // 2
            _log.warning("memory ran out with a batch of %d; from here on %d at a time", len(batch), size.value)
            waiting.append(batch)
        else:
            results.update(zip(batch, found, strict=True))
            continue
        _free_memory()  # not before the error is gone, whose frames hold the batch
    return [results[index] for index in range(len(items))]


def is_out_of_memory(error: Exception) -> bool:
    """Return whether a device's memory ran out, by the name of torch's error, as not every method imports torch.

    CUDA, cuBLAS, cuDNN and Triton also allocate for themselves; they have no error of their own, but words.
    """
    if type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _WORDS)


_WORDS = ("out of memory", "ALLOC_FAILED", "ALLOCATION_FAILED")


def _free_memory() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
