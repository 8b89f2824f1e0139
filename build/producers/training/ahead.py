"""Work that threads do ahead of whoever uses it, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def ahead(jobs: Iterable[Callable[[], Result]], workers: int, most: int) -> Iterator[Result]:
    """Yield the results of jobs in their order, while threads do those that follow.

    Whoever does not use all of them has to close this.

    Args:
        jobs: taken one by one, no more than are begun.
        workers: threads.
        most: jobs that are begun and whose results are not used yet, at most.

    Raises:
        Exception: what a job raised, in its turn.
    """
    with ThreadPoolExecutor(workers) as executor:
        waiting: deque[Future[Result]] = deque()
        try:
            for job in jobs:
                waiting.append(executor.submit(job))
                if len(waiting) >= most:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            executor.shutdown(cancel_futures=True)
