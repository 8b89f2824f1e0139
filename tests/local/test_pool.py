"""Processes end with the one that they work for, and only they do."""

from __future__ import annotations

import itertools
import os
import signal
import time
from concurrent.futures import wait
from pathlib import Path

import pytest

from fornet_hf.errors import ForNetError
from fornet_hf.local import validate as validating
from fornet_hf.local.apply import apply
from fornet_hf.local.pool import processes
from fornet_hf.local.trees import ZipTree
from tests.local.conftest import PICTURES


def test_one_process_alone_outlives_the_shell_that_started_it(release, tmp_path, monkeypatch):
    parents = itertools.chain([os.getppid()], itertools.repeat(1))
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    monkeypatch.setattr(os, "_exit", lambda status: pytest.fail(f"ended with {status}"))
    assert apply(release, "train", PICTURES, tmp_path).counts["ok"] == 9


def test_an_interrupt_ends_what_the_processes_are_doing():
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        sleep_until_interrupted()
    assert time.monotonic() - started < 30


def sleep_until_interrupted() -> None:
    with processes(1) as pool:
        pool.submit(os.getpid).result()
        pool.submit(time.sleep, 60)
        raise KeyboardInterrupt


def test_an_interrupt_of_the_terminal_is_left_to_the_process_that_waits():
    with processes(1) as pool:
        pid = pool.submit(os.getpid).result()
        os.kill(pid, signal.SIGINT)
        assert pool.submit(os.getpid).result() == pid


def test_a_process_that_is_killed_is_named():
    with pytest.raises(ForNetError, match=r"a worker was killed.*smaller MAX_WORKERS"):
        kill_a_worker()


def kill_a_worker() -> None:
    with processes(1) as pool:
        os.kill(pool.submit(os.getpid).result(), signal.SIGKILL)
        wait([pool.submit(os.getpid)])
        pool.submit(os.getpid).result()


def test_what_is_prepared_is_there_in_each_process(tmp_path):
    with processes(1, os.chdir, str(tmp_path)) as pool:
        assert Path(pool.submit(os.getcwd).result()) == tmp_path


def test_an_index_travels_once_to_each_process_not_with_each_part_of_the_work(zipped, monkeypatch):
    travels = []
    state = ZipTree.__getstate__
    monkeypatch.setattr(ZipTree, "__getstate__", lambda self: travels.append(1) or state(self))
    monkeypatch.setattr(validating, "_CHUNK", 2)
    monkeypatch.setenv("MAX_WORKERS", "2")
    tree = validating.open_tree(validating.Layout(zipped, "train"), "backgrounds")
    assert list(validating._damages(tree, "backgrounds")) == [[]] * 5
    assert len(travels) == 2
