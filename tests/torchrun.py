"""Commands as two processes, which torchrun starts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.blocks import ROOT

TWO = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
"""What `python` is told before a script, or `-m` and a module. The store is at a port that nobody else can have."""


def run_two(words: Sequence[object], environment: Mapping[str, str], *, timeout: float = 300) -> str:
    """Run a script, or `-m` and a module, as two processes; fail if one fails. Returns what they said."""
    command = [sys.executable, *TWO, *map(str, words)]
    environment = {**environment, "OMP_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) as launcher:
        try:
            said, errors = launcher.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            launcher.terminate()  # if it were killed, the two would stay
            raise
    assert launcher.returncode == 0, errors
    return said


def run_two_of(script: str, folder: Path, *words: object) -> None:
    """Run Python code, kept in a folder, as two processes that find this checkout and its examples."""
    (path := folder / "script.py").write_text(script)
    run_two([path, *words], os.environ | {"PYTHONPATH": f"{ROOT / 'examples'}{os.pathsep}{ROOT}"})
