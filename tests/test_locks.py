"""Locks: one process, or several that share."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.locks import alone, together

HOLDS = """
import sys, time
from pathlib import Path
from fornet_hf.locks import alone, together
with {how}(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Start another process that holds the lock of a file."""
    started = []

    def start(how):
        command = [sys.executable, "-c", HOLDS.format(how=how), str(tmp_path / "lock")]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.communicate()


def test_one_process_keeps_others_out_until_it_ends(tmp_path, other):
    process = other("alone")
    with (
        pytest.raises(ConfigurationError, match=r"another run is there.*Wait"),
        alone(tmp_path / "lock", "another run is there"),
    ):
        pass
    process.kill()
    process.wait()
    with alone(tmp_path / "lock", "another run is there"):
        assert (tmp_path / "lock").is_file()
    assert not (tmp_path / "lock").exists()


def test_only_the_last_of_several_is_the_last(tmp_path, other):
    process = other("together")
    with together(tmp_path / "lock") as last:
        assert not last()
        process.communicate()
        assert last()
    assert not (tmp_path / "lock").exists()
