import pytest
import torch

from producers.devices.gpu_memory import is_out_of_memory, is_shared


def test_torchs_error_is_known_by_its_name():
    assert is_out_of_memory(torch.OutOfMemoryError("2 GiB"))
    assert not is_out_of_memory(RuntimeError("2 GiB"))


def test_a_cpu_is_not_shared():
    assert not is_shared("cpu")


@pytest.mark.parametrize(("others", "shared"), [(0.5, False), (60, True)])
def test_a_gpu_is_shared_if_others_hold_more_than_a_screen_does(monkeypatch, others, shared):
    own, total = 12, 80
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: ((total - own - others) * 2**30, total * 2**30))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: own * 2**30)
    assert is_shared("cuda:1") == shared
