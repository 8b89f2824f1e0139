"""Downloads: several at a time, taken up again where they broke off, asked for again where the Hub was busy."""

from __future__ import annotations

import threading
from pathlib import Path

import huggingface_hub
import pytest

from fornet_hf import load_dataset
from fornet_hf.errors import UnreachableError
from tests.builder.rows import described, made_directly
from tests.local_hub.faults import Fault
from tests.local_hub.state import Hub
from tests.published import FORNET

SOURCE = r"imagenet-1k/resolve/.*train-00001-of-00003\.parquet"


@pytest.mark.parametrize("workers", [1, 3])
def test_as_many_at_a_time_as_there_are_workers(here: Path, published: Hub, monkeypatch, workers: int) -> None:
    """The Hub answers when as many have asked; others have time to ask, too."""
    monkeypatch.setenv("MAX_WORKERS", str(workers))
    slow = published.inject(Fault("slow", r"imagenet-1k/resolve/.*train.*\.parquet", seconds=0.2, times=None))
    all_asked, strike = threading.Barrier(workers, timeout=60), published.faults.strike

    def struck(*request: str) -> Fault | None:
        fault = strike(*request)
        if fault is slow:
            all_asked.wait()
        return fault

    monkeypatch.setattr(published.faults, "strike", struck)
    load_dataset(FORNET, split="train", cache_dir=here)
    assert max(record.at_once for record in published.asked(r"\.parquet", "GET")) == workers


@pytest.mark.parametrize(
    "fault",
    [
        Fault("drop", SOURCE, after=5000),
        Fault("refuse", SOURCE),
        Fault("refuse", SOURCE, method="HEAD"),
        Fault("status", SOURCE, status=503, times=2),
        Fault("status", SOURCE, status=503, times=2, method="HEAD"),
        Fault("status", SOURCE, status=429, retry_after=0),
        Fault("status", SOURCE, status=429, retry_after=0, method="HEAD"),
        Fault("status", r"patches/manifest\.json", status=503, method="HEAD"),
        Fault("drop", r"patches/.*parquet", after=500, times=3),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.method}-{fault.status}-{fault.path[:8]}",
)
def test_a_passing_failure_is_survived(here: Path, published: Hub, fault: Fault, monkeypatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    published.inject(fault)
    assert described(load_dataset(FORNET, split="train", cache_dir=here)) == made_directly("train")
    assert fault.hits >= 1


def test_a_broken_download_is_continued(here: Path, published: Hub, monkeypatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    published.inject(Fault("drop", SOURCE, after=5000))
    load_dataset(FORNET, split="train", cache_dir=here)
    first, *_, last = published.asked(SOURCE, "GET")
    assert (first.fault, first.sent) == ("drop", 5000)
    assert last.range == "bytes=5000-"
    assert (last.status, last.fault) == (206, "")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault("drop", SOURCE, times=None, after=100), "the connection broke"),
        (Fault("status", SOURCE, status=500, times=None), "the Hub answered with an error.*500"),
        (Fault("status", SOURCE, status=503, times=None, method="HEAD"), "cannot be reached.*503"),
    ],
)
def test_a_lasting_failure_is_named(here: Path, published: Hub, fault: Fault, says: str, monkeypatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    published.inject(fault)
    with pytest.raises(UnreachableError, match=r"data/train-00001-of-00003.parquet of ILSVRC/imagenet-1k.*" + says):
        load_dataset(FORNET, split="train", cache_dir=here)
    published.faults.clear()
    published.forget()
    assert described(load_dataset(FORNET, split="train", cache_dir=here)) == made_directly("train")
    assert [record.path for record in published.asked(r"imagenet.*\.parquet", "GET")] == [
        record.path for record in published.asked(SOURCE, "GET")
    ]
