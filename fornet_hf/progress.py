"""Progress bars which the switches of `datasets` turn off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

T = TypeVar("T")


def progress(items: Iterable[T], description: str, unit: str) -> Iterator[T]:
    """Iterate with a bar on standard error, unless `datasets.disable_progress_bars()` was called."""
    from datasets.utils import tqdm

    total = len(items) if isinstance(items, Sized) else None
    yield from tqdm(items, desc=description, unit=unit, total=total)
