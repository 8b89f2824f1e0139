"""Processes beside the one that drives a GPU: they decode images and make patches meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from fornet_hf.processes import start_pool


def pool_of(workers: int) -> Executor:
    """An executor of this many processes, or of none: then the caller does the work itself."""
    return start_pool(workers, one_thread) if workers else InlineExecutor()


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


def one_thread() -> None:
    """Processes are the parallelism here: threads of OpenCV on top of them only take turns."""
    try:
        import cv2  # heavy, and only some stages need it
    except ImportError:
        return
    cv2.setNumThreads(1)
