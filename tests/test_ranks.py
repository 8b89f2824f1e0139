"""Groups of processes that torchrun started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

ROOT = Path(__file__).parents[1]
SCRIPT = """
import time
from fornet_hf.ranks import joined_ranks

for joined in range(3):
    with joined_ranks() as ranks:
        shared = ranks.share([joined, joined])
        assert list(shared) == [joined], shared
        time.sleep(0.2 if ranks.rank == joined % 2 else 0)
"""


def test_processes_join_again_while_one_of_them_has_not_left_yet(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command.append(str(tmp_path / "script.py"))
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=100)
    assert done.returncode == 0, done.stderr
