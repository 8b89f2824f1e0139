"""Runs a command in a process that is killed just before one of its operations on files."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

# Importing takes longer than the work: one process imports, and forks of it do the work.
_RUNNER = """
import importlib, json, os, signal, sys
commands = importlib.import_module(sys.argv[1])
for name in sys.argv[2:]:
    importlib.import_module(name)

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir"}

def die_before(number, folder):
    def count(event, arguments):
        nonlocal number
        changes = event in CHANGES or event == "open" and bool(arguments[2] & WRITING)
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
        os._exit(commands.main(command))
    print(os.waitpid(pid, 0)[1], flush=True)
"""
_NEVER = 0
_HEAVY = ("datasets.utils", "fornet_hf.layout.saved")  # imported by the commands late


def kill_everywhere(
    module: str, command: Callable[[Path], Sequence[str]], tmp_path: Path, same: Callable[[Path, Path], None]
) -> int:
    """Kill a command before its first, second, ... operation, each in a new folder, and run it again there.

    Args:
        module: its `main` is the command.
        command: the words for an output folder.
        tmp_path: where the folders are made.
        same: asserts that the folder, and that of an undisturbed run, hold the same.

    Returns:
        How many operations there are.
    """
    with _runner(module) as run:
        wanted, number = tmp_path / "undisturbed", 0
        assert run(wanted, command(wanted), _NEVER) == 0
        while True:
            number += 1
            out = tmp_path / f"killed{number}"
            if status := run(out, command(out), number):
                assert status == signal.SIGKILL
                assert run(out, command(out), _NEVER) == 0, number
            same(out, wanted)
            if status == 0:
                return number - 1


@contextlib.contextmanager
def _runner(module: str) -> Iterator[Callable[[Path, Sequence[str], int], int]]:
    """A function that runs a command on a folder, kills it before an operation, and returns the wait status."""
    with subprocess.Popen(
        [sys.executable, "-c", _RUNNER, module, *_HEAVY],
        env={**os.environ, "MAX_WORKERS": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:

        def run(folder: Path, command: Sequence[str], number: int) -> int:
            process.stdin.write(json.dumps([number, str(folder), list(command)]) + "\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        yield run
        process.stdin.close()
