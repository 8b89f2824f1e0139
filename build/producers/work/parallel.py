"""Running tasks in processes of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed

from fornet_hf import processes
from producers.work.plan import Task
from producers.work.pools import one_thread
from producers.work.report import Report


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
    with processes.pool(min(workers, len(tasks)), one_thread) as pool:
        futures = {pool.submit(work, task): task for task in tasks}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except Exception:
            pool.shutdown(cancel_futures=True)
            raise
