"""Processes end with the one that they work for, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import wait
from pathlib import Path

import pytest

from fornet_hf.errors import WorkerDiedError
from fornet_hf.processes import pool
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
