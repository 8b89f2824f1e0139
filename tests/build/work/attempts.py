"""Tasks without images, and work on them that only notes its attempts and fails as it is told."""

import errno
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from fornet_hf.errors import SourceError
from producers.work.plan import Task
from producers.work.report import Report
from producers.work.roster import RETIRES_AFTER
from tests.killing import wait_until


def tasks(count):
    return [
        Task(split="train", index=index, count=count, images=Path("none"), classes=None) for index in range(count)
    ]


@dataclass
class Work:
    """Notes each attempt in a folder; what then happens depends on the kind.

    Attributes:
        notes: the folder.
        kind: `bad NAME` fails on a device of that name with everything. `together N` waits until so many processes
            are at work. `killed`, `gpu`, `source` and `disk` fail at
            the first attempt at the second task, with `always` before it at all attempts.
        workers: beside the process, which are only noted.
    """

    notes: Path
    kind: str = ""
    workers: int = 0

    def __call__(self, task, seat):
        attempt = attempts(self.notes, task.index)
        (self.notes / f"{task.name}.{attempt}").write_text(f"{os.getpid()} {seat.name} {self.workers}")
        if self.kind.startswith("bad "):
            self.on(seat, others=task.count > 1)
        elif self.kind.startswith("together "):
            wait_until(lambda: len({one[0] for one in notes(self.notes) if one}) >= int(self.kind.split()[1]))
        elif self.kind and task.index == 1 and (attempt == 0 or "always" in self.kind):
            self.fail()
        return Report(ok=task.index)

    def on(self, seat, *, others):
        if seat.name == self.kind.removeprefix("bad "):
            (self.notes / f"bad.{os.getpid()}").touch()
            raise RuntimeError("CUDA error: uncorrectable ECC error")
        if others:  # the bad one gets all that it can fail at
            wait_until(lambda: len(list(self.notes.glob("bad.*"))) >= RETIRES_AFTER * seat.processes)

    def fail(self):
        if "killed" in self.kind:
            os.kill(os.getpid(), signal.SIGKILL)
        if "gpu" in self.kind:
            raise RuntimeError("CUDA error")
        if "source" in self.kind:
            raise SourceError("a damaged shard")
        raise OSError(errno.ENOSPC, "No space left on device")

    def close(self):
        (self.notes / f"closed.{os.getpid()}").touch()


def attempts(folder, index):
    """Return how often a task was begun."""
    return len(list(folder.glob(f"train-{index:05d}-*")))


def notes(folder):
    """Return of each attempt its process, its device, and the workers beside it."""
    return [path.read_text().split() for path in folder.glob("train-*")]
