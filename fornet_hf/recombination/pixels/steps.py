"""Many examples made stage by stage.

The code, tables and translations of addresses that a stage needs have left the processor's caches when an example
has been through all the others. So the examples of a batch go through one stage before any of them goes on; the
stages of one example stay in one function, with a `yield` between them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import TypeVar

T = TypeVar("T")
Steps = Generator[None, None, T]  # of one example; `return` gives its result


def in_step(tasks: Iterable[Steps[T]]) -> list[T]:
    """Return the results of all tasks, in order. Each runs to its next `yield` before any goes on."""
    running = dict(enumerate(tasks))
    results: dict[int, T] = {}
    while running:
        for number, task in list(running.items()):
            try:
                next(task)
            except StopIteration as stop:
                results[number] = stop.value
                del running[number]
    return [results[number] for number in sorted(results)]


def finished(task: Steps[T]) -> T:
    """Return the result of one task."""
    return in_step([task])[0]
