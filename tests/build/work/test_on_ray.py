"""Ray's engine: on a real cluster of one machine that says it has GPUs, and its rules without one."""

import contextlib
import functools
import gc
import io
import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from unittest import mock

import pytest

from fornet_hf.errors import ConfigurationError, SourceError, WorkerDiedError
from producers.work.on_ray import cpus_each, part, run_on_ray
from producers.work.roster import RETIRES_AFTER
from tests.build.work.attempts import Work, attempts, notes, tasks

NODES = [
    {"Alive": True, "Resources": {"CPU": 64.0, "GPU": 8.0}},
    {"Alive": True, "Resources": {"CPU": 20.0, "GPU": 4.0}},
    {"Alive": True, "Resources": {"CPU": 2.0}},
    {"Alive": False, "Resources": {"CPU": 1.0, "GPU": 1.0}},
]


@pytest.mark.parametrize(
    ("nodes", "on_gpus", "expected"),
    [
        (NODES, True, 5),
        (NODES, False, 2),
        ([{"Alive": True, "Resources": {"CPU": 2.0, "GPU": 4.0}}], True, 1),
        ([{"Alive": True, "Resources": {}}, NODES[2]], False, 2),
        ([], True, 1),
    ],
)
def test_the_cpus_of_an_actor_are_those_of_the_node_with_fewest_for_a_gpu(nodes, on_gpus, expected):
    assert cpus_each(nodes, on_gpus=on_gpus) == expected


@pytest.mark.parametrize("processes", [1, 2, 3, 6, 7, 16])
@pytest.mark.parametrize("whole", [0, 1, 4])
def test_the_parts_of_all_processes_fit_when_ray_has_rounded_them(whole, processes):
    assert whole - 0.01 < processes * round(part(whole, processes), 4) <= whole


class CannotBegin(Work):
    def __setstate__(self, state):
        raise ValueError("no such module on this node")


def drive(make, *, count=6, gpus=None, workers=None, have=2, **more):
    """Run tasks on a cluster with 2 CPUs and as many GPUs as are asked for; the reports by index, and messages."""
    import ray

    root = Path(__file__).parents[3]
    environment = {"PYTHONPATH": str(root), "MAX_WORKERS": "2"}  # for the work
    messages = io.StringIO()
    with (
        mock.patch.dict(os.environ, environment),
        mock.patch("producers.work.on_ray._CODE", (root, root / "build")),
        mock.patch("ray.init", functools.partial(ray.init, num_gpus=have)),
        contextlib.redirect_stderr(messages),
    ):
        done = run_on_ray(make, tasks(count), address=None, gpus=gpus, workers=workers, **more)
        return {task.index: report.ok for task, report in done}, messages.getvalue()


def traces(make):
    """Whether Ray's handler of SIGTERM is left after a run, and the status of a fork that collects what is."""
    before = signal.getsignal(signal.SIGTERM)
    gc.disable()
    drive(make, count=1)
    if (child := os.fork()) == 0:
        gc.collect()
        os._exit(0)
    return signal.getsignal(signal.SIGTERM) is not before, os.waitpid(child, 0)[1]


@pytest.fixture
def driver():
    """A process of its own, as of a command: Ray's threads go on in it, and other tests fork theirs."""
    pytest.importorskip("ray", reason="this engine needs Ray")
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor:
        yield executor


@pytest.fixture
def run(driver, tmp_path):
    """Runs tasks in the driver; the reports by index."""

    def run(kind="", work=Work, **options):
        make = functools.partial(work, tmp_path, kind)
        done, run.messages = driver.submit(drive, make, **options).result()
        return done

    return run


def test_all_gpus_work_when_nothing_is_asked_for(run, tmp_path):
    assert run("together 2") == {index: index for index in range(6)}
    processes, devices, workers = zip(*notes(tmp_path), strict=True)
    assert (len(set(processes)), set(devices), set(workers)) == (2, {"cuda:0", "cuda:1"}, {"1"})


def test_several_processes_work_on_each_gpu(run, tmp_path):
    assert len(run("together 4", count=8, processes=2)) == 8
    processes, devices, workers = zip(*notes(tmp_path), strict=True)
    assert (len(set(processes)), set(devices), set(workers)) == (4, {"cuda:0", "cuda:1"}, {"1"})


def test_few_tasks_are_spread_over_gpus_which_have_their_names_where_ray_hides_none(run, tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES", "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    assert len(run("together 2", count=2, processes=2)) == 2
    assert {device for _, device, _ in notes(tmp_path)} == {"cuda:5", "cuda:7"}


def test_ray_leaves_nothing_that_harms_processes_forked_later(driver, tmp_path):
    assert driver.submit(traces, functools.partial(Work, tmp_path, "")).result() == (False, 0)


def test_what_fits_works_and_what_does_not_is_not_waited_for(run, tmp_path):
    assert len(run(workers=2)) == 6
    assert len({process for process, _, _ in notes(tmp_path)}) == 1


def test_a_cluster_without_room_is_an_error_after_a_while(run):
    with pytest.raises(ConfigurationError, match=r"'num_cpus': 3.*was placed on the Ray cluster within 4 s"):
        run(workers=3, patience=4)


def test_a_bad_gpu_does_not_end_the_run(run, tmp_path):
    assert len(run("bad cuda:1", attempts=2)) == 6
    assert len(list(tmp_path.glob("bad.*"))) == RETIRES_AFTER
    assert "gets no more tasks after failures time and again" in run.messages


def test_a_bad_gpu_fails_no_task_by_several_processes_on_it(run):
    assert len(run("bad cuda:1", count=8, attempts=2, processes=2)) == 8
    assert run.messages.count("gets no more tasks after failures time and again") == 1


def test_a_lost_process_is_replaced(run, tmp_path):
    assert len(run("killed")) == 6
    assert attempts(tmp_path, 1) == 2


@pytest.mark.parametrize(("kind", "error", "times"), [("always gpu", WorkerDiedError, 2), ("source", SourceError, 1)])
def test_errors_end_the_run(run, tmp_path, kind, error, times):
    with pytest.raises(error):
        run(kind, attempts=2)
    assert attempts(tmp_path, 1) == times


def test_processes_that_cannot_begin_are_an_error(run):
    with pytest.raises(WorkerDiedError, match="no such module on this node"):
        run(work=CannotBegin)
