import numpy as np
import pytest
import torch

from fornet_hf.errors import ConfigurationError
from producers.devices.placement import Placement


def test_precision_is_that_of_products_only():
    layer = torch.nn.Linear(3, 2)
    with Placement(precision="bfloat16").inference():
        assert layer(torch.ones(1, 3)).dtype == torch.bfloat16
    with Placement().inference():
        assert layer(torch.ones(1, 3)).dtype == torch.float32
    assert layer.weight.dtype == torch.float32


def test_an_unknown_precision_is_refused():
    with pytest.raises(ConfigurationError, match="float8"):
        Placement(precision="float8")


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_a_missing_gpu_is_named(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    with pytest.raises(ConfigurationError, match=r"found 'cuda' with CUDA_VISIBLE_DEVICES=3.*--gpus 0"):
        Placement("cuda")


def test_a_device_that_torch_does_not_know_is_named():
    with pytest.raises(ConfigurationError, match=r"unknown device; found 'gpu'; allowed: cpu, cuda"):
        Placement("gpu")


def test_stacked_arrays_are_one_tensor_of_their_type():
    arrays = [np.full((2, 3), value, np.uint8) for value in (1, 200)]
    arrays[0].flags.writeable = False
    stack = Placement().stacked(arrays)
    assert stack.dtype == torch.uint8
    assert np.array_equal(stack.numpy(), np.stack(arrays))


def test_an_unknown_speedup_is_refused():
    with pytest.raises(ConfigurationError, match=r"unknown speed-up; found \['hope'\]; allowed: "):
        Placement(speedups=frozenset({"hope"}))
