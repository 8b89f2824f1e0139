"""Processes that work for this one, and end when it ends, however that is.

A process that is killed cannot tell those it started. They would go on writing, into the very files of the next
attempt, and then wait for ever for more work. So each of them watches its parent.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

from fornet_hf.errors import WorkerDiedError, explain

_CHECK_EVERY = 0.2  # seconds
_Work = Callable[..., None]


def start_process(work: _Work, *arguments: Any) -> BaseProcess:
    """Start a process that does `work(*arguments)`."""
    process = multiprocessing.get_context("spawn").Process(target=_begin, args=(os.getpid(), work, arguments))
    process.start()
    return process


def start_pool(count: int, prepare: _Work | None = None, *arguments: Any) -> ProcessPoolExecutor:
    """Return an executor of processes; whoever asks for it shuts it down.

    Args:
        count: how many processes.
        prepare: called once in each of them, before its work.
        *arguments: of `prepare`.
    """
    context = multiprocessing.get_context("spawn")  # a fork would share the threads of torch, Arrow and OpenCV
    return ProcessPoolExecutor(count, context, initializer=_begin, initargs=(os.getpid(), prepare, arguments))


@contextlib.contextmanager
def pool(count: int, prepare: _Work | None = None, *arguments: Any) -> Iterator[ProcessPoolExecutor]:
    """Yield the executor of `start_pool`; an exception, such as an interrupt, ends what its processes are doing.

    Raises:
        WorkerDiedError: one of them was killed.
    """
    others = set(multiprocessing.active_children())
    executor = start_pool(count, prepare, *arguments)
    try:
        yield executor
    except BaseException as error:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        if isinstance(error, BrokenProcessPool):
            then = "Run the same command again to go on where it was, with a smaller MAX_WORKERS if memory ran out."
            raise WorkerDiedError(explain("a worker was killed, perhaps for want of memory", then=then)) from error
        raise
    finally:
        executor.shutdown(cancel_futures=True)


@contextlib.contextmanager
def watched_forks() -> Iterator[None]:
    """Let what `multiprocess` forks meanwhile end with this process: the workers of `datasets`, and its manager."""
    from multiprocess.util import register_after_fork

    parent = _Parent(os.getpid())
    register_after_fork(parent, _Parent.watch)  # which knows `parent` weakly, so until this block is left
    yield


def end_with(parent: int, *sentinels: int) -> None:
    """End this process as soon as its parent is gone.

    Args:
        parent: number of the process that started this one. It was noted there, for it may be gone already.
        *sentinels: what is ready when the parent has ended.
    """
    threading.Thread(target=_end_after, args=(parent, sentinels), name="end_with_parent", daemon=True).start()


class _Parent:
    """Whom a fork watches."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def watch(self) -> None:
        """Begin to watch, in a fork; forks of this fork are to watch this one."""
        end_with(self._pid)
        self._pid = os.getpid()


def _begin(parent: int, work: _Work | None, arguments: tuple[Any, ...]) -> None:
    """Begin a process with what it does first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal interrupts all of them; the parent ends this one
    started_by = multiprocessing.parent_process()
    end_with(parent, *([] if started_by is None else [started_by.sentinel]))
    if work is not None:
        work(*arguments)


def _end_after(parent: int, sentinels: tuple[int, ...]) -> None:
    # Asked again and again: a sentinel is a pipe, which other children of the parent may hold open. On Windows,
    # where they cannot, the number of the parent stays what it was.
    while os.getppid() == parent and not wait(sentinels, _CHECK_EVERY):
        pass
    os._exit(1)  # without the usual farewell, which waits for queues that nobody reads any more
