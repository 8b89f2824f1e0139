"""Processes beside the one that drives a GPU: they decode pictures and make patches meanwhile."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing.connection import wait
from typing import Any


def pool_of(workers: int) -> Executor:
    """An executor of this many processes, or of none: then the caller does the work itself."""
    if workers == 0:
        return InlineExecutor()
    context = multiprocessing.get_context("spawn")  # a fork would share the threads of torch and OpenCV
    return ProcessPoolExecutor(workers, mp_context=context, initializer=begin_worker)


class InlineExecutor(Executor):
    """Does the work when it is submitted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The future of work that is done already."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - that is what executors do
            future.set_exception(error)
        return future


def begin_worker() -> None:
    """Set up a process of a pool: one thread for OpenCV, and an end when its parent ends, however that dies."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_leave_with, args=(parent.sentinel,), daemon=True).start()
    try:
        import cv2
    except ImportError:
        return
    cv2.setNumThreads(1)


def _leave_with(sentinel: int) -> None:
    """A killed parent cannot stop its pool, whose processes would wait for work for ever."""
    wait([sentinel])
    os._exit(1)
