"""Places of processes on GPUs, and whether others use their memory."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

import pytest

from fornet_hf.errors import ConfigurationError
from producers.devices.seats import Seat, seats

GIB = 2**30


@pytest.fixture
def gpu(monkeypatch):
    """Lets torch see a GPU of 80 GiB of which this process and others hold some; returns the shares that are set."""
    torch = pytest.importorskip("torch")
    shares = []

    def hold(own, others):
        monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: ((80 - own - others) * GIB, 80 * GIB))
        monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: own * GIB)
        monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", shares.append)
        return shares

    return hold


def test_there_is_a_seat_for_each_process_and_all_gpus_come_first(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert [one.name for one in seats(2, 2)] == ["cuda:0", "cuda:1", "cuda:0", "cuda:1"]
    assert seats(0, 2) == [Seat("cpu", 2)] * 2


def test_gpus_are_those_that_are_visible_under_their_own_names(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-5,6")
    assert [one.name for one in seats(2, 1)] == ["cuda:3", "cuda:GPU-5"]
    assert {one.device for one in seats(3, 1)} == {"cuda"}


@pytest.mark.parametrize("visible", ["", "0,1"])
def test_more_gpus_than_are_visible_are_an_error(monkeypatch, visible):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with pytest.raises(ConfigurationError, match="fewer GPUs than were asked for"):
        seats(3, 1)
    assert seats(0, 1) == [Seat()]


def test_a_seat_on_the_cpu_leaves_the_gpus_as_they_are(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,2")

    Seat("cpu").take()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "1,2"
    Seat("cuda:2").take()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "2"


@pytest.mark.parametrize(("asked", "expected"), [(None, "3"), ("5", "5")])
def test_processes_on_the_cpu_share_its_threads(monkeypatch, asked, expected):
    monkeypatch.setenv("MAX_WORKERS", "7")
    monkeypatch.setenv("OMP_NUM_THREADS", asked or "")
    if asked is None:
        monkeypatch.delenv("OMP_NUM_THREADS")
    Seat("cpu").take()
    assert os.environ.get("OMP_NUM_THREADS") == asked
    Seat("cpu", 2).take()
    assert os.environ["OMP_NUM_THREADS"] == expected


def test_a_process_gets_its_share_of_the_memory_without_its_context(gpu):
    shares = gpu(0, 0)
    for seat in (Seat("cuda:0"), Seat("cpu", 2), Seat("cuda:0", 2)):
        seat.limit_memory()
    assert shares == [pytest.approx(38 / 80)]


def test_more_processes_than_fit_are_an_error(gpu):
    shares = gpu(0, 0)
    Seat("cuda:0", 39).limit_memory()
    assert len(shares) == 1
    with pytest.raises(ConfigurationError, match=r"found 40 on 80.0 GiB; allowed: up to 39.*--processes"):
        Seat("cuda:0", 40).limit_memory()


@pytest.mark.parametrize(
    ("processes", "own", "others", "shared"),
    [
        (1, 12, 0.5, False),
        (1, 12, 60, True),
        (2, 38, 41, False),  # the other process has its share and a context
        (2, 20, 60, True),  # somebody else has some of this one's
        (4, 18, 61, False),
        (4, 5, 75, True),
    ],
)
def test_a_gpu_is_shared_if_others_hold_more_than_their_shares(gpu, processes, own, others, shared):
    gpu(own, others)
    assert Seat("cuda:1", processes).is_shared() == shared


def test_a_cpu_is_not_shared():
    assert not Seat("cpu", 2).is_shared()


def reaches_its_share():
    """Take a seat, and all memory that one may have; return GPUs, GiB and whether others are to blame."""
    import torch

    seat, held = Seat("cuda:0", 4), []
    seat.take()
    seat.limit_memory()
    try:
        while True:
            held.append(torch.empty(GIB // 2, dtype=torch.uint8, device=seat.device))
    except torch.OutOfMemoryError:
        return torch.cuda.device_count(), len(held) / 2, torch.cuda.mem_get_info()[1] / GIB, seat.is_shared()


@pytest.mark.gpu
def test_on_a_gpu_a_process_gets_no_more_than_its_share():
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU")
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor:
        count, held, total, shared = executor.submit(reaches_its_share).result()
    assert count == 1
    assert total / 4 - 3 < held <= total / 4 - 2
    assert not shared
