"""Running tasks on the GPUs of this machine: processes on each, replaced when they die."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, Pipe
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from typing import Protocol

from fornet_hf.errors import ForNetError
from fornet_hf.processes import max_workers, start_process
from producers.devices.opencv import one_thread
from producers.devices.seats import Seat
from producers.work.plan import Task
from producers.work.report import Report
from producers.work.roster import Entry, Roster, say_retired


class Work(Protocol):
    """Work that is done with tasks. It travels to its process by pickling."""

    def __call__(self, task: Task, seat: Seat) -> Report:
        """Do a task in the process that has taken a seat."""

    def close(self) -> None:
        """Let everything go: there are no more tasks."""


class AttemptFailedError(Exception):
    """An attempt failed for a reason that may lie in its process or GPU."""


def workers_each(gpus: int, processes: int, asked: int | None) -> int:
    """Return the number of workers beside each process; at least 1, unless 0 were asked for.

    Args:
        gpus: of this machine that are used; 0: its CPU.
        processes: on each of them, which share its workers.
        asked: workers for each GPU; None: a share of MAX_WORKERS, or of all CPUs.
    """
    of_gpu = max_workers() // max(1, gpus) if asked is None else asked
    return 0 if asked == 0 else max(1, of_gpu // processes)


def run_on_slots(
    work: Work, tasks: Sequence[Task], seats: Sequence[Seat], *, attempts: int = 3
) -> Iterator[tuple[Task, Report]]:
    """Yield each task with its report, as they get finished.

    A task whose process is killed, or fails for a reason that may lie in the GPU, is begun again in a new process,
    on another device if there is one; a device that fails time and again gets no more tasks.
    Any other error lets the tasks that have begun finish, begins no more, and is raised.

    Args:
        work: what is done.
        tasks: shards.
        seats: one process for each.
        attempts: at one task, at least 1.

    Raises:
        WorkerDiedError: a task failed that many times.
        ForNetError: what a task raised.
        OSError: likewise.
    """
    devices = list(dict.fromkeys(seat.name for seat in seats))
    processes = max((seat.processes for seat in seats), default=1)
    queue = _Queue(Roster(tasks, attempts, range(len(devices)), processes))
    slots = [_Slot(work, seat, devices.index(seat.name), queue) for seat in seats]
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
        queue.stop()
        for slot in slots:
            slot.kill()
    if failure is not None:
        raise failure


class _Queue:
    """The roster, shared by the slots' threads; outcomes, and a None for each slot's end."""

    def __init__(self, roster: Roster) -> None:
        self.done: SimpleQueue[tuple[Task, Report | Exception] | None] = SimpleQueue()
        self._roster = roster
        self._changed = threading.Condition()

    def take(self, device: int) -> Entry | None:
        """Return the next task for a device; wait while one may come back elsewhere; None if there will be none."""
        with self._changed:
            while not (self._roster.over or self._roster.stopped or device in self._roster.retired):
                if (entry := self._roster.take(device)) is not None:
                    return entry
                self._changed.wait()
            return None

    def succeeded(self, device: int, entry: Entry, report: Report) -> None:
        with self._changing():
            self._roster.succeeded(device)
        self.done.put((entry.task, report))

    def ended(self, entry: Entry, error: Exception) -> None:
        with self._changing():
            self._roster.ended()
        self.done.put((entry.task, error))

    def failed(self, device: int, entry: Entry, error: Exception) -> bool:
        """Return whether that made the device retire."""
        with self._changing():
            before = device in self._roster.retired
            final = self._roster.failed(device, entry, error)
        if final is not None:
            self.done.put((entry.task, final))
        return device in self._roster.retired and not before

    def stop(self) -> None:
        with self._changing():
            self._roster.stop()

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        with self._changed:
            yield
            self._changed.notify_all()


class _Slot:
    """A thread that feeds one process after another."""

    def __init__(self, work: Work, seat: Seat, device: int, queue: _Queue) -> None:
        self._work = work
        self._seat = seat
        self._device = device  # its number in the roster; processes on it share that
        self._queue = queue
        self._process: tuple[BaseProcess, Connection] | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def kill(self) -> None:
        """End its process, if it has not ended by itself; the process's own pool ends with it."""
        if self._process is not None:
            self._process[0].kill()

    def _run(self) -> None:
        try:
            while (entry := self._queue.take(self._device)) is not None:
                self._attempt(entry)
        finally:
            self._close()
            self._queue.done.put(None)

    def _attempt(self, entry: Entry) -> None:
        try:
            report = self._do(entry.task)
        except AttemptFailedError as error:
            self.kill()  # an error of the GPU stays with the process that met it
            self._close()
            if self._queue.failed(self._device, entry, error):
                say_retired(self._seat.name, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others must not wait for this task
            self._queue.ended(entry, error)
        else:
            self._queue.succeeded(self._device, entry, report)

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

    def _started(self) -> tuple[BaseProcess, Connection]:
        here, there = Pipe()
        process = start_process(_serve, self._work, self._seat, there)
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


def _serve(work: Work, seat: Seat, connection: Connection) -> None:
    """Answer each task that comes with its report, until a None comes."""
    seat.take()
    one_thread()
    for task in iter(connection.recv, None):
        connection.send(_answer(work, task, seat))
    work.close()


def _answer(work: Work, task: Task, seat: Seat) -> Report | Exception:
    try:
        return work(task, seat)
    except ForNetError as error:
        return error
    except OSError as error:
        return plain(error)
    except Exception as error:  # noqa: BLE001 - whatever a model or its libraries raise
        return AttemptFailedError(f"{type(error).__name__}: {error}")


def plain(error: OSError) -> OSError:
    """Return the error without what libraries add to theirs, which may not survive the way between processes."""
    return OSError(str(error)) if error.errno is None else OSError(error.errno, error.strerror or str(error))
