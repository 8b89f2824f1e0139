"""Batches of equal shape, halved when the device's memory does not suffice."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def run_batched(
    items: Sequence[Item],
    run: Callable[[list[Item]], Sequence[Result]],
    *,
    size: int,
    key: Callable[[Item], Hashable] = lambda _: None,
) -> list[Result]:
    """The results of `run`, in the order of the items.

    Only items of equal key meet in a batch, and at most `size` of them. When a batch runs out of memory it is
    halved, and so are those after it.

    Raises:
        torch.OutOfMemoryError: a batch of one item runs out of memory.
    """
    groups: dict[Hashable, list[int]] = {}
    for index, item in enumerate(items):
        groups.setdefault(key(item), []).append(index)
    results: dict[int, Result] = {}
    waiting = list(reversed(groups.values()))
    while waiting:
        group = waiting.pop()
        batch, rest = group[:size], group[size:]
        if rest:
            waiting.append(rest)
        try:
            found = run([items[index] for index in batch])
        except torch.OutOfMemoryError:
            if len(batch) == 1:
                raise
            size = len(batch) // 2
            waiting.append(batch)
        else:
            results.update(zip(batch, found, strict=True))
            continue
        _free_memory()  # not before the error is gone, whose frames hold the batch
    return [results[index] for index in range(len(items))]


def _free_memory() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
