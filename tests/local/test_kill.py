"""Applying that is killed before any of its file operations, and run again, gives what it gives undisturbed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import datasets
import pytest

from tests.local.conftest import names
from tests.test_legacy_apply import SAMPLE

# Importing takes longer than applying: one process imports, and forks of it apply.
_RUNNER = """
import json, os, signal, sys
import datasets.utils, fornet_hf.local.arrow, fornet_hf.local.jobs
from fornet_hf.cli import main

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT

def die_before(number, folder):
    '''Kill this process before an operation on files of `folder`, counted from 1.'''
    def count(event, arguments):
        nonlocal number
        changes = event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir")
        changes = changes or event == "open" and bool(arguments[2] & WRITING)
        if changes and str(arguments[0]).startswith(folder):
            number -= 1
            if number == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count)

for line in sys.stdin:
    number, folder, command = json.loads(line)
    pid = os.fork()
    if pid == 0:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        die_before(number, folder)
        os._exit(main(command))
    print(os.waitpid(pid, 0)[1], flush=True)
"""

NEVER = 0
FLAGS = {"folders": [], "zips": ["--zip"], "dataset": ["--datasets"]}


@contextlib.contextmanager
def applier(kind: str) -> Iterator[Callable[[Path, int], int]]:
    """A function that applies the sample's patches, is killed before an operation, and returns the wait status."""
    command = ["apply", "-p", str(SAMPLE / "hub"), "-in", str(SAMPLE / "imagenet"), "--split", "validation"]
    command += FLAGS[kind]
    environment = {**os.environ, "MAX_WORKERS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", _RUNNER],
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as runner:

        def run(out: Path, number: int) -> int:
            runner.stdin.write(json.dumps([number, str(out), [*command, "-o", str(out)]]) + "\n")
            runner.stdin.flush()
            return int(runner.stdout.readline())

        yield run
        runner.stdin.close()


def same_files(found: Path, wanted: Path) -> None:
    assert names(found) == names(wanted)
    for name in names(wanted):
        assert (found / name).read_bytes() == (wanted / name).read_bytes(), name


def same_rows(found: Path, wanted: Path) -> None:
    assert sorted(path.name for path in found.iterdir()) == ["dataset_dict.json", "validation"]
    one, other = datasets.load_from_disk(str(found)), datasets.load_from_disk(str(wanted))
    assert list(one) == list(other)
    for split in other:
        assert one[split].data.table.equals(other[split].data.table)


@pytest.mark.parametrize("kind", FLAGS)
def test_killed_before_any_operation_it_ends_as_if_it_never_was(kind: str, tmp_path: Path) -> None:
    if not SAMPLE.is_dir():
        pytest.skip(f"no sample release at {SAMPLE}")
    same = same_rows if kind == "dataset" else same_files
    with applier(kind) as apply:
        assert apply(tmp_path / "wanted", NEVER) == 0
        number = 1
        while (status := apply(tmp_path / f"out{number}", number)) == signal.SIGKILL:
            assert apply(tmp_path / f"out{number}", NEVER) == 0, number
            same(tmp_path / f"out{number}", tmp_path / "wanted")
            number += 1
        assert status == 0
        same(tmp_path / f"out{number}", tmp_path / "wanted")
    assert number > 20
