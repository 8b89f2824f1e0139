"""Groups of processes that torchrun started."""

import os

import pytest

from tests.blocks import ROOT
from tests.torchrun import run_two

pytest.importorskip("torch")

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
    run_two([tmp_path / "script.py"], os.environ | {"PYTHONPATH": str(ROOT)})
