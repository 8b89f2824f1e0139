"""Processes that end: nothing of the group may outlive it."""

from pathlib import Path

import pytest

from tests.torchrun import run_two_of

pytest.importorskip("torch")

SCRIPT = """
import sys
import torch
from pathlib import Path
from fornet_hf import ranks
from training.processes import alike, place, process_group, summed

ranks._PATIENCE = 60

def train():
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(3, 3))
    model(torch.ones(1, 3)).sum().backward()
    assert summed(torch.ones(2)).tolist() == [2, 2]
    statistics = torch.full((2,), 5.0 + place().rank)
    alike([statistics])
    assert statistics.tolist() == [5, 5]

def let_go():
    for _ in range(300):
        values = torch.ones(2)
        alone = sys.getrefcount(values)
        summed(values)
        alike([values])
        assert sys.getrefcount(values) == alone

def fail():
    train()
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(3, 3))
    raise KeyboardInterrupt

def threads():
    return sorted(path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm"))

with process_group(place()):
    train()
    let_go()
    assert any("gloo" in name for name in threads()), threads()
assert not any("gloo" in name for name in threads()), threads()

try:
    with process_group(place()):
        fail()
except KeyboardInterrupt:
    assert not any("gloo" in name for name in threads()), threads()
else:
    raise AssertionError("it did not fail")
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads the names of threads from /proc")
def test_no_thread_of_the_group_outlives_it(tmp_path):
    run_two_of(SCRIPT, tmp_path)
