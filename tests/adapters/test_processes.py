"""Two processes train rotations, our own and those of peft, with DistributedDataParallel."""

import os
import subprocess
import sys

import pytest

from tests.blocks import ROOT

torch = pytest.importorskip("torch")
pytest.importorskip("peft", exc_type=ImportError)

PROGRAM = """
import sys
from tests.torchvision_shim import import_torchvision; import_torchvision()
import torch
import torch.distributed.nn  # before the group is there, which it would keep for ever
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
from fornet_hf.adapters import AdapterConfig, merge, tune
from tests.adapters.networks import small, step, stir

def train(network):  # a model that is freed after its group may wait for a thread, which waits for Python's lock
    wrapped = DistributedDataParallel(network)
    torch.manual_seed(rank)
    for _ in range(2):
        step(wrapped, torch.rand(4, 3, 16, 16))

rank, place = int(sys.argv[1]), sys.argv[2]
distributed.init_process_group("gloo", init_method=f"file://{place}", rank=rank, world_size=2)
network = tune(small(), AdapterConfig(kind="oft", blocks=3))
torch.manual_seed(0)
stir(network)
train(network)
weights = torch.cat([one.flatten() for one in network.state_dict().values()])
others = [torch.empty_like(weights) for _ in range(2)]
distributed.all_gather(others, weights)
assert others[0].equal(others[1]), "the processes differ"
image = torch.rand(1, 3, 16, 16)
torch.testing.assert_close(merge(network).eval()(image), network.eval()(image), rtol=1e-4, atol=1e-5)
distributed.destroy_process_group()
"""


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch trains in one process")
@pytest.mark.slow
def test_two_processes_keep_one_adapter(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM]
    workers = [
        subprocess.Popen([*command, str(rank), str(tmp_path / "store")], env=environment, stderr=subprocess.PIPE)
        for rank in range(2)
    ]
    for worker in workers:
        _, errors = worker.communicate(timeout=300)
        assert worker.returncode == 0, errors.decode()
