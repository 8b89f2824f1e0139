"""Shards in progress."""

import json
import os
import socket
import subprocess
import sys
import time

import pytest

from producers.work import progress
from producers.work.progress import Running, forget, here, noted, running


@pytest.fixture
def eager(monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0.0)


def test_a_process_says_how_far_it_is_as_long_as_it_is_at_a_shard(tmp_path, eager):
    with noted(tmp_path, "node cuda:1", "train-0", 10) as tell:
        tell(4)
        (one,) = running(tmp_path, (), time.time())
        assert (one.where, one.task, one.images, one.of) == ("node cuda:1", "train-0", 4, 10)
        assert one.begun <= one.seen
    assert running(tmp_path, (), time.time()) == []


def test_it_is_silent_for_a_while_after_each_word(tmp_path):
    with noted(tmp_path, "node cpu", "train-0", 10) as tell:
        tell(4)
        assert running(tmp_path, (), time.time())[0].images == 0


def test_it_ends_with_its_shard_whatever_happens(tmp_path):
    with pytest.raises(KeyError), noted(tmp_path, "node cpu", "train-0", 10):
        raise KeyError
    assert not list((tmp_path / "progress").iterdir())


def test_a_full_disk_is_no_error(tmp_path):
    (tmp_path / "progress").write_text("in the way")
    with noted(tmp_path, "node cpu", "train-0", 10) as tell:
        tell(4)


def test_of_killed_processes_only_the_last_attempt_at_an_unfinished_shard_counts(tmp_path):
    (tmp_path / "progress").mkdir()
    for number, (task, begun) in enumerate([("a", 1), ("a", 3), ("a", 2), ("b", 1)]):
        one = {"where": f"node{number} cpu", "task": task, "of": 9, "begun": begun}
        (tmp_path / "progress" / f"{number}.json").write_text(json.dumps(one))
    (tmp_path / "progress" / "damaged.json").write_text("{")
    (tmp_path / "progress" / "newer.json").write_text('{"task": "c"}')
    assert running(tmp_path, {"b"}, time.time()) == [Running(where="node1 cpu", task="a", of=9, begun=3)]
    forget(tmp_path)
    assert running(tmp_path, (), time.time()) == []


def test_a_process_that_has_ended_on_this_host_is_known_after_a_minute(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    (tmp_path / "progress").mkdir()
    for host, process in (
        ("elsewhere", child.pid),
        (socket.gethostname(), child.pid),
        (socket.gethostname(), os.getpid()),
    ):
        one = {"where": f"{host} {process}", "task": f"{host} {process}", "of": 9, "begun": 1, "seen": 100}
        (tmp_path / "progress" / f"{host}-{process}.json").write_text(json.dumps(one))
    assert not any(one.ended for one in running(tmp_path, (), 130))
    assert [one.where for one in running(tmp_path, (), 170) if one.ended] == [f"{socket.gethostname()} {child.pid}"]


def test_a_process_is_known_by_its_host_and_its_device():
    assert here("cuda:3") == f"{socket.gethostname()} cuda:3"
