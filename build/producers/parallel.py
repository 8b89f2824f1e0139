"""Running tasks in processes of this machine."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from fornet_hf.errors import ForNetError
from producers.plan import Task
from producers.report import Report

T = TypeVar("T")


class WorkerDiedError(ForNetError):
    """A worker process was killed; the tasks which it had finished stay finished."""


def run_tasks(work: Callable[[Task], Report], tasks: Sequence[Task], workers: int) -> Iterator[tuple[Task, Report]]:
    """Each task with its report, as they get finished; in this process if one worker is enough.

    An error of one task lets those that have begun finish, begins no more, and is raised.

    Raises:
        WorkerDiedError: a process was killed, perhaps because memory ran out.
        ForNetError: what a task raised.
    """
    if min(workers, len(tasks)) <= 1:
        yield from ((task, work(task)) for task in tasks)
        return
    context = multiprocessing.get_context("spawn")  # a fork would share the threads of Arrow and OpenCV
    with ProcessPoolExecutor(min(workers, len(tasks)), mp_context=context, initializer=_one_thread) as pool:
        futures = {pool.submit(work, task): task for task in tasks}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            then = "Run the same command again to go on; with fewer --workers if memory ran out."
            raise WorkerDiedError(f"a worker process was killed. {then}") from error
        finally:
            for future in futures:
                future.cancel()


def _one_thread() -> None:
    """Processes are the parallelism here: threads of OpenCV on top of them only take turns."""
    try:
        import cv2  # heavy, and only some stages need it
    except ImportError:
        return
    cv2.setNumThreads(1)
