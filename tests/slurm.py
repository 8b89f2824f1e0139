"""Slurm's arrays without Slurm: a script is copied away and run once for each element, with the variables it gets."""

import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from tests.killing import Family

ROOT = Path(__file__).parents[1]


class Array:
    """An array of so many elements, the first of which has the number `first`."""

    def __init__(self, script, folder, environment, *, count, first=5):
        self._copy = folder / "slurm_script"
        shutil.copyfile(ROOT / script, self._copy)
        self._folder = folder
        self._count, self._first = count, first
        self._environment = {
            **environment,
            "PYTHON": sys.executable,
            "SLURM_SUBMIT_DIR": str(ROOT),
            "SLURM_CPUS_PER_TASK": "1",
            "SLURM_ARRAY_TASK_COUNT": str(count),
            "SLURM_ARRAY_TASK_MIN": str(first),
            "SLURM_ARRAY_TASK_MAX": str(first + count - 1),
        }

    def run(self):
        """Run all elements at the same time; fail if one does."""
        elements = [
            subprocess.Popen(
                ["bash", self._copy], env=self._of(index), cwd=self._folder, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True,
            )
            for index in range(self._count)
        ]  # fmt: skip
        outputs = [one.communicate(timeout=300)[0] for one in elements]
        for one, output in zip(elements, outputs, strict=True):
            assert one.returncode == 0, output

    @contextmanager
    def killed(self, index):
        """Start an element, which is killed at the end with all that it has started, as Slurm does it."""
        with Family(["bash", self._copy], self._of(index)):
            yield

    def _of(self, index):
        return {**self._environment, "SLURM_ARRAY_TASK_ID": str(self._first + index)}
