"""A roster: it gives tasks to slots, and gives tasks and slots up. A slot is a GPU, here or elsewhere.

A failed task goes to the end of the queue, and to slots that have not failed with it as long as there are any.
A slot that fails time and again while there are others retires, so that one bad GPU does not end a run. The last
one does not retire: if it fails as often in a row, with whatever tasks, the run ends. What disturbs a GPU once may
fail all processes on it, so each of them may fail as often.
"""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from tqdm import tqdm

from fornet_hf.errors import WorkerDiedError
from producers.work.plan import Task

RETIRES_AFTER = 3  # failures in a row, for each process of a slot


@dataclass(eq=False)
class Entry:
    """A task, and the numbers of the slots that failed with it, in order."""

    task: Task
    failed: list[int] = field(default_factory=list)


class Roster:
    """Tasks that wait and slots that take them; not for several threads at a time.

    Attributes:
        present: numbers of the slots that can take a task.
        retired: numbers of those that get none any more.
    """

    def __init__(self, tasks: Iterable[Task], attempts: int, present: Iterable[int] = (), processes: int = 1) -> None:
        """Let tasks wait, each for that many attempts, for slots of that many processes."""
        self.present = set(present)
        self.retired: set[int] = set()
        self._waiting = deque(Entry(task) for task in tasks)
        self._running = 0
        self._attempts = attempts
        self._processes = processes
        self._stopped = False
        self._in_a_row: Counter[int] = Counter()

    @property
    def over(self) -> bool:
        """True when nothing waits, and nothing runs that could fail and come back."""
        return not self._waiting and not self._running

    @property
    def running(self) -> int:
        """Number of tasks that are being done."""
        return self._running

    @property
    def stopped(self) -> bool:
        """True when no more tasks are begun."""
        return self._stopped

    def take(self, slot: int) -> Entry | None:
        """Return the next task for a slot; None if there is none for it now."""
        for entry in self._waiting if slot not in self.retired else ():
            if slot not in entry.failed or self.present <= set(entry.failed):
                self._waiting.remove(entry)
                self._running += 1
                return entry
        return None

    def succeeded(self, slot: int) -> None:
        """Note that a slot has done its task."""
        self._running -= 1
        self._in_a_row[slot] = 0

    def failed(self, slot: int, entry: Entry, error: Exception) -> WorkerDiedError | None:
        """Note a failure that another attempt may put right; return the error if there will be none."""
        self._running -= 1
        entry.failed.append(slot)
        self._in_a_row[slot] += 1
        rounds = self._in_a_row[slot] / self._processes
        if rounds >= RETIRES_AFTER and self.present - {slot}:
            self.retired.add(slot)
            self.present.discard(slot)
        # Failures of slots that turned out to be bad are not the task's.
        tries = sum(one not in self.retired for one in entry.failed)
        hopeless = not self.present - {slot} and rounds >= max(RETIRES_AFTER, self._attempts)
        if tries < self._attempts and not hopeless:
            if not self._stopped:
                self._waiting.append(entry)
            return None
        self.stop()
        then = "The run's logs say more. The same command goes on from here; with fewer --workers if memory ran out."
        failed = f"failed {len(entry.failed)} times"
        if hopeless:
            failed = f"{self._in_a_row[slot]} attempts in a row failed"
        return WorkerDiedError(f"{entry.task.name}: {failed}, at last: {error}. {then}")

    def ended(self) -> None:
        """Note a failure that another attempt would not put right."""
        self._running -= 1
        self.stop()

    def stop(self) -> None:
        """Begin no more tasks."""
        self._stopped = True
        self._waiting.clear()


def say_retired(name: str, error: Exception) -> None:
    """Tell people that a slot gets no more tasks."""
    text = f"{name}: gets no more tasks after failures time and again, at last: {error}"
    tqdm.write(text, file=sys.stderr)
