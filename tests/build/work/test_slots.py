"""Processes that die, fail or are stopped; the work here only sleeps and counts."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from fornet_hf.errors import SourceError, WorkerDiedError
from producers.devices.seats import Seat, seats
from producers.work.plan import Task
from producers.work.report import Report
from producers.work.roster import RETIRES_AFTER
from producers.work.slots import run_on_slots
from tests.build.work.attempts import Work, attempts, notes, tasks
from tests.killing import lives, wait_until


def on(*names, processes=1):
    return [Seat(name, processes) for _ in range(processes) for name in names]


def test_every_task_is_done_once_by_one_of_the_processes(tmp_path):
    done = dict(run_on_slots(Work(tmp_path), tasks(5), on("a", "b")))
    assert sorted(report.ok for report in done.values()) == [0, 1, 2, 3, 4]
    processes, devices, _ = zip(*notes(tmp_path), strict=True)
    assert len(processes) == 5
    assert set(devices) <= {"a", "b"}
    assert len(list(tmp_path.glob("closed.*"))) == len(set(processes))


@pytest.mark.parametrize("kind", ["killed", "gpu"])
def test_a_task_whose_process_dies_is_done_again_in_another(tmp_path, kind):
    done = list(run_on_slots(Work(tmp_path, kind), tasks(4), on("a")))
    assert len(done) == 4
    assert attempts(tmp_path, 1) == 2
    processes = {(tmp_path / f"train-00001-of-00004.{index}").read_text() for index in (0, 1)}
    assert len(processes) == 2


@pytest.mark.parametrize("kind", ["always killed", "always gpu"])
def test_a_task_that_always_kills_its_process_is_given_up(tmp_path, kind):
    with pytest.raises(WorkerDiedError, match="train-00001-of-00004: failed 2 times"):
        list(run_on_slots(Work(tmp_path, kind), tasks(4), on("a"), attempts=2))
    assert attempts(tmp_path, 1) == 2


@pytest.mark.parametrize("count", [1, 8])
def test_a_bad_gpu_does_not_end_the_run(tmp_path, capsys, count):
    done = dict(run_on_slots(Work(tmp_path, "bad b"), tasks(count), on("b", "a"), attempts=2))
    assert len(done) == count
    if count == 8:
        assert [device for _, device, _ in notes(tmp_path)].count("b") == RETIRES_AFTER
        assert (
            "b: gets no more tasks after failures time and again, at last: RuntimeError: CUDA"
            in capsys.readouterr().err
        )


def test_a_bad_gpu_fails_no_task_by_several_processes_on_it(tmp_path, capsys):
    seats = on("b", "a", processes=3)
    done = dict(run_on_slots(Work(tmp_path, "bad b"), tasks(14), seats, attempts=2))
    assert len(done) == 14
    failed = [device for _, device, _ in notes(tmp_path)].count("b")
    assert 3 * RETIRES_AFTER <= failed <= 3 * RETIRES_AFTER + 2  # what its other processes had begun
    assert capsys.readouterr().err.count("gets no more tasks") == 1


def test_several_processes_work_on_a_device(tmp_path):
    assert len(list(run_on_slots(Work(tmp_path, "together 2"), tasks(6), on("a", processes=2)))) == 6
    assert len({process for process, _, _ in notes(tmp_path)}) == 2


def test_a_process_sees_its_own_gpu_only(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,GPU-7")
    assert len(list(run_on_slots(Sees(tmp_path), tasks(4), seats(2, 1)))) == 4
    assert {path.read_text() for path in tmp_path.iterdir()} == {"cuda:4 cuda 4", "cuda:GPU-7 cuda GPU-7"}


@dataclass
class Sees:
    """Notes what its process sees."""

    notes: Path

    def __call__(self, task, seat):
        (self.notes / task.name).write_text(f"{seat.name} {seat.device} {os.environ['CUDA_VISIBLE_DEVICES']}")
        wait_until(lambda: len(list(self.notes.iterdir())) > 1)  # the other one does one, too
        return Report()

    def close(self):
        pass


def test_only_bad_gpus_end_the_run(tmp_path):
    with pytest.raises(WorkerDiedError, match="ECC"):
        list(run_on_slots(Work(tmp_path, "bad b"), tasks(2), on("b", "b"), attempts=2))


class Unpicklable(Task):
    def __reduce__(self):
        raise TypeError("stays here")


def test_a_task_that_cannot_be_handed_over_ends_the_run(tmp_path):
    bad = Unpicklable(split="train", index=3, count=4, images=Path("none"), classes=None)
    with pytest.raises(TypeError, match="stays here"):
        list(run_on_slots(Work(tmp_path), [*tasks(4)[:3], bad], on("a", "b")))


@pytest.mark.parametrize(
    ("kind", "error", "message"), [("source", SourceError, "damaged"), ("disk", OSError, "No space left")]
)
def test_an_error_that_another_attempt_would_not_put_right_is_raised_at_once(tmp_path, kind, error, message):
    with pytest.raises(error, match=message):
        list(run_on_slots(Work(tmp_path, kind), tasks(4), on("a")))
    assert attempts(tmp_path, 1) == 1
    assert attempts(tmp_path, 3) == 0


def test_processes_end_when_the_caller_stops_early(tmp_path):
    running = run_on_slots(Work(tmp_path), tasks(50), on("a"))
    next(running)
    running.close()
    process = int(next(tmp_path.glob("train-00000*")).read_text().split()[0])
    wait_until(lambda: not lives(process))
