"""Running tasks on the GPUs of this machine: one process for each, replaced when it dies."""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Protocol

from fornet_hf.errors import ForNetError
from fornet_hf.workers import max_workers
from producers.parallel import WorkerDiedError
from producers.plan import Task
from producers.pools import begin_worker
from producers.report import Report

# What a second attempt, in a new process, would not put right.
FINAL = (ForNetError, OSError)


class Work(Protocol):
    """What is done with tasks. Travels to its process by pickling."""

    def __call__(self, task: Task, device: str) -> Report:
        """Do a task."""

    def close(self) -> None:
        """Nothing more is to be done."""


class AttemptFailedError(Exception):
    """An attempt failed for a reason that may lie in its process or GPU."""


def devices(gpus: int) -> list[str]:
    """Names of that many GPUs; for none the CPU's."""
    return [f"cuda:{index}" for index in range(gpus)] or ["cpu"]


def workers_each(gpus: int | None, asked: int | None) -> int:
    """Worker processes for each GPU: what was asked for, else an equal share of MAX_WORKERS or of all CPUs."""
    return max(1, max_workers() // max(1, gpus or 1)) if asked is None else asked


def run_on_slots(
    work: Work, tasks: Sequence[Task], devices: Sequence[str], *, attempts: int = 3
) -> Iterator[tuple[Task, Report]]:
    """Each task with its report, as they get finished.

    A task whose process is killed, or fails for a reason that may lie in the GPU, is begun again in a new process.
    Any other error lets the tasks that have begun finish, begins no more, and is raised.

    Args:
        work: what is done.
        tasks: shards.
        devices: one process for each entry, such as `cuda:0`.
        attempts: at one task, at least 1.

    Raises:
        WorkerDiedError: a task failed that many times.
        ForNetError: what a task raised.
        OSError: likewise.
    """
    queue = _Queue(deque((task, 1) for task in tasks), attempts)
    slots = [_Slot(work, device, queue) for device in devices[: len(tasks)]]
    failure: Exception | None = None
    try:
        for slot in slots:
            slot.thread.start()
        for _ in slots:
            for task, outcome in iter(queue.done.get, None):
                if isinstance(outcome, Exception):
                    failure = failure or outcome
                else:
                    yield task, outcome
    finally:
        queue.stopped = True
        for slot in slots:
            slot.kill()
    if failure is not None:
        raise failure


@dataclass
class _Queue:
    """Tasks that no slot has taken, with the number of the next attempt; outcomes, and a None for each slot's end."""

    tasks: deque[tuple[Task, int]]
    attempts: int
    done: SimpleQueue[tuple[Task, Report | Exception] | None] = field(default_factory=SimpleQueue)
    stopped: bool = False

    def take(self) -> tuple[Task, int] | None:
        try:
            return None if self.stopped else self.tasks.popleft()
        except IndexError:
            return None

    def fail(self, task: Task, error: Exception) -> None:
        self.stopped = True
        self.done.put((task, error))

    def again(self, task: Task, attempt: int, error: Exception) -> None:
        if attempt < self.attempts:
            self.tasks.append((task, attempt + 1))
            return
        then = "The run's logs say more. The same command goes on from here; with fewer --workers if memory ran out."
        self.fail(task, WorkerDiedError(f"{task.name}: failed {attempt} times, at last: {error}. {then}"))


class _Slot:
    """A thread that feeds one process after another."""

    def __init__(self, work: Work, device: str, queue: _Queue) -> None:
        self._work = work
        self._device = device
        self._queue = queue
        self._process: tuple[multiprocessing.process.BaseProcess, Connection] | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def kill(self) -> None:
        """End its process, if it has not ended by itself; the process's own pool ends with it."""
        if self._process is not None:
            self._process[0].kill()

    def _run(self) -> None:
        try:
            while (taken := self._queue.take()) is not None:
                self._attempt(*taken)
        finally:
            self._close()
            self._queue.done.put(None)

    def _attempt(self, task: Task, attempt: int) -> None:
        try:
            self._queue.done.put((task, self._do(task)))
        except FINAL as error:
            self._queue.fail(task, error)
        except AttemptFailedError as error:
            self.kill()  # an error of the GPU stays with the process that met it
            self._close()
            self._queue.again(task, attempt, error)

    def _do(self, task: Task) -> Report:
        if self._process is None:
            self._process = self._started()
        process, connection = self._process
        try:
            connection.send(task)
            answer = connection.recv()
        except (EOFError, OSError) as error:
            process.join()
            raise AttemptFailedError(f"its process ended with exit code {process.exitcode}") from error
        if isinstance(answer, Exception):
            raise answer
        report: Report = answer
        return report

    def _started(self) -> tuple[multiprocessing.process.BaseProcess, Connection]:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(self._work, self._device, there))
        process.start()
        there.close()  # so that the process's end is seen as the end of the pipe
        return process, here

    def _close(self) -> None:
        if self._process is None:
            return
        process, connection = self._process
        self._process = None
        with contextlib.suppress(OSError):  # it may have ended
            connection.send(None)
        process.join()
        connection.close()


def _serve(work: Work, device: str, connection: Connection) -> None:
    """The life of a process: tasks come, reports go, until a None comes."""
    begin_worker()
    for task in iter(connection.recv, None):
        connection.send(_answer(work, task, device))
    work.close()


def _answer(work: Work, task: Task, device: str) -> Report | Exception:
    try:
        return work(task, device)
    except ForNetError as error:
        return error
    except OSError as error:
        return plain(error)
    except Exception as error:  # noqa: BLE001 - whatever a model or its libraries raise
        return AttemptFailedError(f"{type(error).__name__}: {error}")


def plain(error: OSError) -> OSError:
    """The same error without what subclasses of libraries add, which may not survive the way between processes."""
    return OSError(str(error)) if error.errno is None else OSError(error.errno, error.strerror or str(error))
