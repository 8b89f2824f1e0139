"""Processes that work for this one, and end when it does."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from fornet_hf.errors import ForNetError, explain
from fornet_hf.workers import end_with_parent


@contextlib.contextmanager
def processes(
    count: int, prepare: Callable[..., None] | None = None, *arguments: Any
) -> Iterator[ProcessPoolExecutor]:
    """Some processes; after an exception, such as an interrupt, they are ended whatever they are doing.

    Args:
        count: how many.
        prepare: called once in each of them, before its work.
        *arguments: of `prepare`.

    Raises:
        ForNetError: one of them was killed.
    """
    context = multiprocessing.get_context("spawn")  # forks of processes with threads may hang
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(count, context, initializer=_begin, initargs=(os.getpid(), prepare, arguments))
    try:
        yield pool
    except BaseException as error:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        if isinstance(error, BrokenProcessPool):
            then = "Set a smaller MAX_WORKERS, and run it again: it goes on where it was."
            raise ForNetError(explain("a worker was killed, perhaps for want of memory", then=then)) from error
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(parent: int, prepare: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal interrupts all of them; the parent ends this one
    end_with_parent(parent)
    if prepare is not None:
        prepare(*arguments)
