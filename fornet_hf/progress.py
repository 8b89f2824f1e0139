"""Progress bars which the switches of `datasets` turn off."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from huggingface_hub.utils import (  # type: ignore[attr-defined]  # documented, but not listed there
    are_progress_bars_disabled,
    disable_progress_bars,
    enable_progress_bars,
)

T = TypeVar("T")
_CLIENT = "huggingface_hub"


def progress(items: Iterable[T], description: str, unit: str) -> Iterator[T]:
    """Iterate with a bar on standard error, unless `datasets.disable_progress_bars()` was called."""
    from datasets.utils import tqdm

    total = len(items) if isinstance(items, Sized) else None
    yield from tqdm(items, desc=description, unit=unit, total=total)


@contextlib.contextmanager
def without_bars_of_files() -> Iterator[None]:
    """Turn off the bars of the Hub's client meanwhile: it shows one for each of hundreds of files.

    They also know nothing of the switch of `datasets`.
    """
    if are_progress_bars_disabled(_CLIENT):
        yield
        return
    disable_progress_bars(_CLIENT)
    try:
        yield
    finally:
        enable_progress_bars(_CLIENT)
