"""Processes that die, fail or are stopped; the work here only sleeps and counts."""

import errno
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from fornet_hf.errors import SourceError, WorkerDiedError
from producers.work.plan import Task
from producers.work.report import Report
from producers.work.roster import RETIRES_AFTER
from producers.work.slots import run_on_slots
from tests.killing import lives, wait_until


@dataclass
class Work:
    """Notes each attempt in a folder; what then happens depends on the task."""

    notes: Path
    kind: str = ""

    def __call__(self, task, device):
        attempt = len(list(self.notes.glob(f"{task.name}.*")))
        (self.notes / f"{task.name}.{attempt}").write_text(f"{os.getpid()} {device}")
        if self.kind == "bad b":
            self.on(device, others=task.count > 1)
        elif self.kind and task.index == 1 and (attempt == 0 or "always" in self.kind):
            self.fail(attempt)
        return Report(ok=task.index)

    def on(self, device, *, others):
        if device == "b":
            (self.notes / f"bad.{os.getpid()}").touch()
            raise RuntimeError("CUDA error: uncorrectable ECC error")
        if others:  # the bad one gets all that it can fail at
            wait_until(lambda: len(list(self.notes.glob("bad.*"))) >= RETIRES_AFTER)

    def fail(self, attempt):
        if "killed" in self.kind:
            os.kill(os.getpid(), signal.SIGKILL)
        if "gpu" in self.kind:
            raise RuntimeError("CUDA error")
        if "source" in self.kind:
            raise SourceError("a damaged shard")
        raise OSError(errno.ENOSPC, "No space left on device")

    def close(self):
        (self.notes / f"closed.{os.getpid()}").touch()


def tasks(count):
    return [
        Task(split="train", index=index, count=count, images=Path("none"), classes=None) for index in range(count)
    ]


def attempts(folder, index=1, count=4):
    return len(list(folder.glob(f"train-{index:05d}-of-{count:05d}.*")))


def test_every_task_is_done_once_by_one_of_the_processes(tmp_path):
    done = dict(run_on_slots(Work(tmp_path), tasks(5), ["a", "b"]))
    assert sorted(report.ok for report in done.values()) == [0, 1, 2, 3, 4]
    notes = [path.read_text().split() for path in tmp_path.glob("train-*")]
    assert len(notes) == 5
    assert {device for _, device in notes} <= {"a", "b"}
    assert len(list(tmp_path.glob("closed.*"))) == len({process for process, _ in notes})


@pytest.mark.parametrize("kind", ["killed", "gpu"])
def test_a_task_whose_process_dies_is_done_again_in_another(tmp_path, kind):
    done = list(run_on_slots(Work(tmp_path, kind), tasks(4), ["a"]))
    assert len(done) == 4
    assert attempts(tmp_path) == 2
    processes = {(tmp_path / f"train-00001-of-00004.{index}").read_text() for index in (0, 1)}
    assert len(processes) == 2


@pytest.mark.parametrize("kind", ["always killed", "always gpu"])
def test_a_task_that_always_kills_its_process_is_given_up(tmp_path, kind):
    with pytest.raises(WorkerDiedError, match="train-00001-of-00004: failed 2 times"):
        list(run_on_slots(Work(tmp_path, kind), tasks(4), ["a"], attempts=2))
    assert attempts(tmp_path) == 2


@pytest.mark.parametrize("count", [1, 8])
def test_a_bad_gpu_does_not_end_the_run(tmp_path, capsys, count):
    done = dict(run_on_slots(Work(tmp_path, "bad b"), tasks(count), ["b", "a"], attempts=2))
    assert len(done) == count
    on_bad = [path for path in tmp_path.glob("train-*") if path.read_text().endswith(" b")]
    if count == 8:
        assert len(on_bad) == RETIRES_AFTER
        assert (
            "b: gets no more tasks after 3 failures in a row, at last: RuntimeError: CUDA" in capsys.readouterr().err
        )


def test_only_bad_gpus_end_the_run(tmp_path):
    with pytest.raises(WorkerDiedError, match="ECC"):
        list(run_on_slots(Work(tmp_path, "bad b"), tasks(2), ["b", "b"], attempts=2))


class Unpicklable(Task):
    def __reduce__(self):
        raise TypeError("stays here")


def test_a_task_that_cannot_be_handed_over_ends_the_run(tmp_path):
    bad = Unpicklable(split="train", index=3, count=4, images=Path("none"), classes=None)
    with pytest.raises(TypeError, match="stays here"):
        list(run_on_slots(Work(tmp_path), [*tasks(4)[:3], bad], ["a", "b"]))


@pytest.mark.parametrize(
    ("kind", "error", "message"), [("source", SourceError, "damaged"), ("disk", OSError, "No space left")]
)
def test_an_error_that_another_attempt_would_not_put_right_is_raised_at_once(tmp_path, kind, error, message):
    with pytest.raises(error, match=message):
        list(run_on_slots(Work(tmp_path, kind), tasks(4), ["a"]))
    assert attempts(tmp_path) == 1
    assert attempts(tmp_path, 3) == 0


def test_processes_end_when_the_caller_stops_early(tmp_path):
    running = run_on_slots(Work(tmp_path), tasks(50), ["a"])
    next(running)
    running.close()
    process = int(next(tmp_path.glob("train-00000*")).read_text().split()[0])
    wait_until(lambda: not lives(process), 10)
