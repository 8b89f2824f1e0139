"""Processes that work for this one: how many there may be, and that they end when it ends, however that is.

A process that is killed cannot tell those it started. They would go on writing, into the very files of the next
attempt, and then wait for ever for more work. So each of them watches its parent.
"""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

from fornet_hf.errors import ConfigurationError, WorkerDiedError, explain

VARIABLE = "MAX_WORKERS"
_CHECK_EVERY = 0.2  # seconds
_Work = Callable[..., None]
Item = TypeVar("Item")
Result = TypeVar("Result")


def max_workers() -> int:
    """Return the number in the environment variable MAX_WORKERS, else the CPUs that this process may use.

    Raises:
        ConfigurationError: MAX_WORKERS is anything but a positive integer.
    """
    value = os.environ.get(VARIABLE)
    if value is None:
        return available_cpus()
    if not (value.isascii() and value.isdigit() and len(value) < 10 and int(value) > 0):
        then = f"Set it like `export {VARIABLE}=8`, or unset it to use all CPUs."
        raise ConfigurationError(
            explain(f"{VARIABLE} is not a number of workers", found=repr(value), allowed="1, 2, 3, ...", then=then)
        )
    return int(value)


def available_cpus() -> int:
    """Count the CPUs that this process may use: those it may run on, within its container's share of time."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cpus, math.ceil(min(cgroup_cpus(), cpus))))


def cgroup_cpus(membership: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> float:
    """Return how many CPUs' worth of time the control groups of Linux leave this process; inf without a limit.

    Both versions of control groups are read.

    Args:
        membership: the file which lists the groups of this process.
        root: where their hierarchies are mounted.
    """
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return math.inf
    limits = [math.inf]
    for _, controllers, group in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if controllers and "cpu" not in controllers.split(","):
            continue
        for mount in (root / controllers, root / "cpu") if controllers else (root, root / "unified"):
            # A container may see its own group as the root, or by a path that only its host has.
            place = mount / group.lstrip("/") if ".." not in group else mount
            limits += [_quota(folder) for folder in (place, *place.parents) if folder.is_relative_to(mount)]
    return min(limits)


def _quota(group: Path) -> float:
    try:
        if (group / "cpu.max").is_file():  # version 2
            quota, period = (group / "cpu.max").read_text(encoding="utf-8").split()
        else:
            quota, period = (
                (group / f"cpu.cfs_{name}_us").read_text(encoding="utf-8") for name in ("quota", "period")
            )
        return int(quota) / int(period) if int(quota) > 0 else math.inf
    except (OSError, ValueError, ZeroDivisionError):  # no such group, or "max"
        return math.inf


def start_process(work: _Work, *arguments: Any) -> BaseProcess:
    """Start a process that does `work(*arguments)`."""
    process = multiprocessing.get_context("spawn").Process(target=_begin, args=(os.getpid(), work, arguments))
    process.start()
    return process


def start_pool(count: int, prepare: _Work | None = None, *arguments: Any) -> Executor:
    """Return an executor of processes; whoever asks for it shuts it down.

    Args:
        count: how many processes; with none, the caller does the work itself when it is submitted.
        prepare: called once in each process, before its work.
        *arguments: of `prepare`.
    """
    if count == 0:
        return InlineExecutor()
    context = multiprocessing.get_context("spawn")  # a fork would share the threads of torch, Arrow and OpenCV
    return ProcessPoolExecutor(count, context, initializer=_begin, initargs=(os.getpid(), prepare, arguments))


class InlineExecutor(Executor):
    """An executor without processes or threads: work is done when it is submitted."""

    def submit(self, fn: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        """Return the future of work that is done already."""
        future: Future[Result] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - that is what executors do
            future.set_exception(error)
        return future


@contextlib.contextmanager
def pool(count: int, prepare: _Work | None = None, *arguments: Any) -> Iterator[Executor]:
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
            raise worker_killed("MAX_WORKERS") from error
        raise
    finally:
        executor.shutdown(cancel_futures=True)


def worker_killed(setting: str) -> WorkerDiedError:
    """Return the error of a worker that was killed; `setting` is the name of that which says how many there are."""
    then = f"Run the same command again to go on where it was, with a smaller {setting} if memory ran out."
    return WorkerDiedError(explain("a worker was killed, perhaps for want of memory", then=then))


def each_done(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    workers: int,
    prepare: _Work | None = None,
    *,
    finish: bool = False,
) -> Iterator[tuple[Item, Result]]:
    """Yield each item with the result of `work`, in the order in which they get done.

    If one worker is enough, this process works, in the order of the items. An error of one item is raised and begins
    no more of them.

    Args:
        work: what is done with an item.
        items: what to work on.
        workers: processes at most.
        prepare: called once in each process, before its work.
        finish: let what has begun finish when another item fails; else it ends at once.

    Raises:
        WorkerDiedError: a process was killed.
        Exception: what `work` raised.
    """
    if min(workers, len(items)) <= 1:
        yield from ((item, work(item)) for item in items)
        return
    with pool(min(workers, len(items)), prepare) as executor:
        futures = {executor.submit(work, item): item for item in items}
        try:
            for future in as_completed(futures):
                yield futures.pop(future), future.result()
        except Exception:
            executor.shutdown(wait=finish, cancel_futures=True)
            raise


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
