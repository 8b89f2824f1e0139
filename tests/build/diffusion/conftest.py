"""The real classes of the models; where torchvision does not fit the machine's torch, its operators are declared."""

from importlib.util import find_spec

import pytest

from tests.torchvision_shim import import_torchvision

if find_spec("torch") and find_spec("torchvision"):
    import_torchvision()
else:
    collect_ignore_glob = ["*"]  # the models need both


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    """Threads only take turns on models this small."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
