"""Applying that is killed at any moment, and run again, gives what it gives undisturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.local.conftest import names
from tests.test_legacy_apply import SAMPLE

KILLS = 8
_PAUSE = 0.04  # seconds for each picture, so that kills find it at work
# Importing takes longer than applying: one process imports, and forks of it apply.
_RUNNER = """
import os, sys, time
import datasets.utils, fornet_hf.local.jobs as jobs
from fornet_hf.cli import main
real = jobs.files_of
def slow(row):
    time.sleep(float(sys.argv[1]))
    return real(row)
jobs.files_of = slow
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        os._exit(main(line.split()))
    print(pid, flush=True)
    print(os.waitpid(pid, 0)[1], flush=True)
"""


@pytest.mark.parametrize("kind", ["folders", "zips"])
def test_killed_at_any_moment_it_ends_as_if_it_never_was(kind, applied, zipped, tmp_path: Path) -> None:
    command = ["apply", "-p", str(SAMPLE / "hub"), "-in", str(SAMPLE / "imagenet"), "-o", str(tmp_path / "out")]
    line = " ".join(command + ["--zip"] * (kind == "zips")) + "\n"
    environment = {**os.environ, "MAX_WORKERS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    moments, killed = random.Random(7), 0
    with subprocess.Popen(
        [sys.executable, "-c", _RUNNER, str(_PAUSE)],
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as runner:
        for number in range(KILLS + 1):
            runner.stdin.write(line)
            runner.stdin.flush()
            process = int(runner.stdout.readline())
            if number < KILLS:
                time.sleep(moments.uniform(0.02, 0.3))
                os.kill(process, signal.SIGKILL)
            status = int(runner.stdout.readline())
            killed += status == signal.SIGKILL
        runner.stdin.close()
    assert status == 0
    assert killed >= KILLS // 2
    wanted = applied if kind == "folders" else zipped
    assert names(tmp_path / "out") == names(wanted)
    for name in names(wanted):
        assert (tmp_path / "out" / name).read_bytes() == (wanted / name).read_bytes()
