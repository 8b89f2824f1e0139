"""Processes: as many as MAX_WORKERS says; they end with the one that they work for, however that ends."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import wait
from functools import partial
from pathlib import Path

import pytest

from fornet_hf import processes
from fornet_hf.errors import ConfigurationError, WorkerDiedError
from fornet_hf.processes import cgroup_cpus, each_done, max_workers, pool, start_pool
from tests.images import write_release
from tests.killing import Family, wait_until

ROOT = Path(__file__).parents[1]
LOAD = """
import sys, time
import fornet_hf
from fornet_hf.release import units
apply_patch = units.apply_patch
def slowly(*arguments):
    time.sleep(1)
    return apply_patch(*arguments)
units.apply_patch = slowly
fornet_hf.load_dataset(patches=sys.argv[1], imagenet_dir=sys.argv[2], cache_dir=sys.argv[3])
"""
HUB = """
import pathlib, sys, time
import demo_hub
with demo_hub._running_hub(pathlib.Path(sys.argv[1])):
    time.sleep(60)
"""


@pytest.mark.parametrize("value", ["1", "2", "64"])
def test_the_variable_counts(monkeypatch, value):
    monkeypatch.setenv("MAX_WORKERS", value)
    assert max_workers() == int(value)


def test_without_it_all_cpus_of_this_process(monkeypatch):
    monkeypatch.delenv("MAX_WORKERS", raising=False)
    monkeypatch.setattr(processes, "cgroup_cpus", lambda: math.inf)
    assert max_workers() == (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())


@pytest.mark.parametrize("value", ["", "0", "-1", "abc", "1.5", " 2", "²", "٣", "1e3", "9" * 5000])
def test_anything_else_is_an_error_that_says_what_is_allowed(monkeypatch, value):
    monkeypatch.setenv("MAX_WORKERS", value)
    with pytest.raises(ConfigurationError, match=r"MAX_WORKERS.*allowed: 1, 2, 3.*export"):
        max_workers()


SHARES = [(0.3, 1), (1.0, 1), (1.5, 2), (2.0, 2), (7.2, 8), (64.0, 16), (math.inf, 16)]


@pytest.mark.parametrize(("share", "count"), SHARES)
def test_a_container_bounds_the_default(monkeypatch, share, count):
    monkeypatch.delenv("MAX_WORKERS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(16), raising=False)
    monkeypatch.setattr(processes, "cgroup_cpus", lambda: share)
    assert max_workers() == count
    monkeypatch.setenv("MAX_WORKERS", "20")
    assert max_workers() == 20


def groups(folder: Path, membership: str, files: dict[str, str]) -> float:
    """The limit with these groups of the process, and these files below /sys/fs/cgroup."""
    for name, text in files.items():
        (folder / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "root" / name).write_text(text + "\n")
    (folder / "cgroup").write_text(membership + "\n")
    return cgroup_cpus(folder / "cgroup", folder / "root")


@pytest.mark.parametrize(
    ("membership", "files", "cpus"),
    [
        ("0::/", {"cpu.max": "150000 100000"}, 1.5),
        ("0::/", {"cpu.max": "max 100000"}, math.inf),
        ("0::/", {}, math.inf),
        ("0::/kubepods/pod/c", {"cpu.max": "max 100000", "kubepods/pod/cpu.max": "200000 100000"}, 2.0),
        ("0::/a/b", {"a/cpu.max": "200000 100000", "a/b/cpu.max": "400000 100000"}, 2.0),
        ("0::/seen/by/the/host", {"cpu.max": "50000 100000"}, 0.5),
        ("0::/../../other", {"cpu.max": "300000 100000"}, 3.0),
        ("0::/a", {"unified/a/cpu.max": "300000 100000"}, 3.0),
        (
            "5:cpu,cpuacct:/docker/c\n4:memory:/docker/c",
            {"cpu,cpuacct/docker/c/cpu.cfs_quota_us": "250000", "cpu,cpuacct/docker/c/cpu.cfs_period_us": "100000"},
            2.5,
        ),
        ("5:cpu:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, math.inf),
        ("5:cpu,cpuacct:/d", {"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "50000"}, 2.0),
        ("0::/", {"cpu.max": "what is this"}, math.inf),
        ("no group", {}, math.inf),
    ],
)
def test_limits_of_control_groups(tmp_path, membership, files, cpus):
    assert groups(tmp_path, membership, files) == cpus


def test_without_control_groups_there_is_no_limit(tmp_path):
    assert cgroup_cpus(tmp_path / "nothing", tmp_path) == math.inf


def test_an_interrupt_ends_what_the_processes_are_doing():
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        sleep_until_interrupted()
    assert time.monotonic() - started < 30


def sleep_until_interrupted() -> None:
    with pool(1) as executor:
        executor.submit(os.getpid).result()
        executor.submit(time.sleep, 60)
        raise KeyboardInterrupt


def test_an_interrupt_of_the_terminal_is_left_to_the_process_that_waits():
    with pool(1) as executor:
        pid = executor.submit(os.getpid).result()
        os.kill(pid, signal.SIGINT)
        assert executor.submit(os.getpid).result() == pid


def test_a_process_that_is_killed_is_named():
    with pytest.raises(WorkerDiedError, match=r"a worker was killed.*smaller MAX_WORKERS"):
        kill_a_worker()


def kill_a_worker() -> None:
    with pool(1) as executor:
        os.kill(executor.submit(os.getpid).result(), signal.SIGKILL)
        wait([executor.submit(os.getpid)])
        executor.submit(os.getpid).result()


def test_what_is_prepared_is_there_in_each_process(tmp_path):
    with pool(1, os.chdir, str(tmp_path)) as executor:
        assert Path(executor.submit(os.getcwd).result()) == tmp_path


def test_without_processes_the_caller_works_when_it_submits():
    with start_pool(0) as executor:
        done, failed = executor.submit(os.getpid), executor.submit(int, "none")
    assert done.result() == os.getpid()
    with pytest.raises(ValueError, match="none"):
        failed.result()


def test_one_worker_is_this_process_and_begins_nothing_before_it_is_needed():
    begun: list[int] = []
    done = each_done(begun.append, [1, 2], 1)
    assert next(done) == (1, None)
    assert begun == [1]
    assert [item for item, _ in done] == [2]


def test_more_workers_do_all_items_in_processes_that_are_prepared(tmp_path):
    (tmp_path / "one").touch()
    found = each_done(_names_here, [1, 2, 3], 2, partial(os.chdir, tmp_path))
    assert sorted(found) == [(number, (["one"] * number, False)) for number in (1, 2, 3)]


def _names_here(times: int) -> tuple[list[str], bool]:
    return [path.name for path in Path().iterdir()] * times, multiprocessing.parent_process() is None


@pytest.mark.parametrize("finish", [True, False])
def test_an_error_begins_no_more_and_what_has_begun_may_finish(tmp_path, finish):
    """Each of two workers has one item at work, and at most one more is on its way."""
    items = [tmp_path / "fails", *(tmp_path / str(number) for number in range(20))]
    with pytest.raises(ValueError, match="this item"):
        list(each_done(partial(_touch, seconds=1 if finish else 60), items, 2, finish=finish))
    begun, finished = ({path.stem for path in tmp_path.glob(f"*.{name}")} for name in ("begun", "finished"))
    assert finished == begun if finish else finished < begun
    assert 1 <= len(begun) < 10


def _touch(path: Path, seconds: float) -> None:
    if path.name == "fails":
        wait_until(lambda: any(path.parent.glob("*.begun")))
        raise ValueError("this item")
    path.with_suffix(".begun").touch()
    time.sleep(seconds)
    path.with_suffix(".finished").touch()


def test_a_worker_that_is_killed_says_how_to_go_on():
    with pytest.raises(WorkerDiedError, match="same command again"):
        list(each_done(os._exit, [9, 9], 2))


def environment(home: Path) -> dict[str, str]:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "build")])
    return {**os.environ, "PYTHONPATH": paths, "HF_HOME": str(home), "MAX_WORKERS": "2"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images with their patches, and what the first step of two-step commands makes of them."""
    pytest.importorskip("cv2", reason="the producers need OpenCV")
    root = tmp_path_factory.mktemp("made")
    write_release(root / "patches", root / "pictures", shards=2)
    one = {**environment(root / "home"), "MAX_WORKERS": "1"}
    for command in (
        ["-m", "fornet_hf", "apply", "-p", root / "patches", "-in", root / "pictures", "-o", root / "fornet"],
        [*SEGMENT, root / "pictures", root / "run", "--shards", "2", "--gpus", "0", "--workers", "0"],
    ):
        subprocess.run([sys.executable, *map(str, command)], check=True, capture_output=True, env=one)
    return root


SEGMENT = ["-m", "segment", "--detector", "centred", "--segmenter", "grabcut", "--infiller", "opencv"]
COMMANDS: dict[str, Callable[[Path, Path], list[object]]] = {
    "create_patches": lambda made, out: ["-m", "create_patches", made / "pictures", out, "--shards", "2"],
    "import_release": lambda made, out: [
        *("-m", "import_release", made / "fornet", made / "pictures", out, "--shards", "2")
    ],
    "segment": lambda made, out: [*SEGMENT, made / "pictures", out, "--shards", "2", "--gpus", "2"],
    "select_versions": lambda made, out: [
        *("-m", "select_versions", made / "run", made / "pictures", out, "--gpus", "2", "--classifiers")
    ],
    "apply": lambda made, out: [
        *("-m", "fornet_hf", "apply", "-p", made / "patches", "-in", made / "pictures", "-o", out)
    ],
    "the demo's Hub": lambda made, out: ["-c", HUB, out],
    "load_dataset": lambda made, out: ["-c", LOAD, made / "patches", made / "pictures", out],
}


MEMBERS = {"the demo's Hub": 2}  # else 4: the command, two workers, and what keeps track of them


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found through /proc")
@pytest.mark.parametrize("name", COMMANDS)
def test_no_process_outlives_a_killed_command(name: str, made: Path, tmp_path: Path) -> None:
    command = [sys.executable, *COMMANDS[name](made, tmp_path / "out")]
    with Family(command, environment(made / "home")) as family:
        wait_until(lambda: len(family.members()) >= MEMBERS.get(name, 4))
        family.driver.kill()
        family.driver.wait()
        wait_until(lambda: not family.members())
