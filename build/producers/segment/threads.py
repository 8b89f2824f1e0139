"""Threads that work on images and masks; OpenCV and torch let others work meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

from fornet_hf.processes import InlineExecutor, max_workers

_MOST = 8


@contextmanager
def threads() -> Iterator[Executor]:
    """Yield as many threads as this process may use, at most 8; one is this one."""
    count = min(max_workers(), _MOST)
    with ThreadPoolExecutor(count) if count > 1 else InlineExecutor() as executor:
        yield executor
