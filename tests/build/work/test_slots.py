"""Processes that die, fail or are stopped; the work here only sleeps and counts."""

from pathlib import Path

import pytest

from fornet_hf.errors import SourceError, WorkerDiedError
from producers.work.plan import Task
from producers.work.roster import RETIRES_AFTER
from producers.work.slots import run_on_slots
from tests.build.work.attempts import Work, attempts, notes, tasks
from tests.killing import lives, wait_until


def test_every_task_is_done_once_by_one_of_the_processes(tmp_path):
    done = dict(run_on_slots(Work(tmp_path), tasks(5), ["a", "b"]))
    assert sorted(report.ok for report in done.values()) == [0, 1, 2, 3, 4]
    processes, devices, _ = zip(*notes(tmp_path), strict=True)
    assert len(processes) == 5
    assert set(devices) <= {"a", "b"}
    assert len(list(tmp_path.glob("closed.*"))) == len(set(processes))


@pytest.mark.parametrize("kind", ["killed", "gpu"])
def test_a_task_whose_process_dies_is_done_again_in_another(tmp_path, kind):
    done = list(run_on_slots(Work(tmp_path, kind), tasks(4), ["a"]))
    assert len(done) == 4
    assert attempts(tmp_path, 1) == 2
    processes = {(tmp_path / f"train-00001-of-00004.{index}").read_text() for index in (0, 1)}
    assert len(processes) == 2


@pytest.mark.parametrize("kind", ["always killed", "always gpu"])
def test_a_task_that_always_kills_its_process_is_given_up(tmp_path, kind):
    with pytest.raises(WorkerDiedError, match="train-00001-of-00004: failed 2 times"):
        list(run_on_slots(Work(tmp_path, kind), tasks(4), ["a"], attempts=2))
    assert attempts(tmp_path, 1) == 2


@pytest.mark.parametrize("count", [1, 8])
def test_a_bad_gpu_does_not_end_the_run(tmp_path, capsys, count):
    done = dict(run_on_slots(Work(tmp_path, "bad b"), tasks(count), ["b", "a"], attempts=2))
    assert len(done) == count
    if count == 8:
        assert [device for _, device, _ in notes(tmp_path)].count("b") == RETIRES_AFTER
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
    assert attempts(tmp_path, 1) == 1
    assert attempts(tmp_path, 3) == 0


def test_processes_end_when_the_caller_stops_early(tmp_path):
    running = run_on_slots(Work(tmp_path), tasks(50), ["a"])
    next(running)
    running.close()
    process = int(next(tmp_path.glob("train-00000*")).read_text().split()[0])
    wait_until(lambda: not lives(process), 10)
