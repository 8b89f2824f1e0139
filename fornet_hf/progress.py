"""Progress bars which the switches of `datasets` turn off."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

T = TypeVar("T")


def progress(items: Iterable[T], description: str, unit: str, total: int | None = None) -> Iterator[T]:
    """Iterate with a bar on standard error, unless `datasets.disable_progress_bars()` was called.

    Args:
        items: to iterate over.
        description: in front of the bar.
        unit: behind it.
        total: number of items, where they do not tell it.
    """
    from datasets.utils import tqdm

    total = len(items) if isinstance(items, Sized) else total
    yield from tqdm(items, desc=description, unit=unit, total=total)


@dataclass(frozen=True)
class Ticks:
    """A count that many processes add to while one looks: a file with a byte for each tick."""

    path: Path

    def tick(self, number: int = 1) -> None:
        """Add to the count."""
        if number:
            with self.path.open("ab", buffering=0) as file:
                file.write(b"." * number)

    def count(self) -> int:
        """Return how many ticks there were."""
        return self.path.stat().st_size


@contextlib.contextmanager
def counted() -> Iterator[Ticks]:
    """Yield a count, from 0, that lasts until the context ends."""
    with tempfile.TemporaryDirectory(prefix="fornet-") as folder:
        path = Path(folder) / "ticks"
        path.touch()
        yield Ticks(path)


class Bar(Protocol):
    """A bar of tqdm, as far as it is needed."""

    n: float

    def update(self, n: float = 1) -> object:
        """Move it on."""


@contextlib.contextmanager
def followed(ticks: Ticks, bar: Bar, *, every: float = 0.5) -> Iterator[None]:
    """Let a bar show the count, looked at every so many seconds, until the context ends."""
    first, done = bar.n, threading.Event()

    def look() -> None:
        bar.update(first + ticks.count() - bar.n)

    def follow() -> None:
        while not done.wait(every):
            look()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        look()
