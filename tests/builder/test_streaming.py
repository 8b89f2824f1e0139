"""Streams: each row once, over nodes, workers and broken connections."""

from __future__ import annotations

import importlib
import itertools
import threading
import time
from pathlib import Path

import pytest
from datasets.distributed import split_dataset_by_node

from fornet_hf import load_dataset
from fornet_hf.errors import UnreachableError
from fornet_hf.hub import transfer
from tests.builder.rows import described, made_directly
from tests.builder.user import WAYS, User
from tests.local_hub.faults import Fault
from tests.local_hub.state import Hub
from tests.published import FORNET

KEYS = [row["key"] for row in made_directly("train")]


def stream(**keywords):
    return load_dataset(FORNET, split="train", streaming=True, **keywords)


def keys(rows) -> list[str]:
    return [row["key"] for row in rows]


@pytest.mark.parametrize("way", WAYS)
def test_rows_are_those_made_directly(alice: User, published: Hub, way: str) -> None:
    train, both, recombined = alice.run(
        (way, {"split": "train", "streaming": True}),
        (way, {"streaming": True}),
        (way, {"split": "train", "streaming": True, "background_combination": "same", "crop": 32}),
    )
    assert train == made_directly("train")
    assert both == {split: made_directly(split) for split in ("train", "validation")}
    assert [row["columns"] for row in recombined] == [["image", "label"]] * 12
    assert {tuple(row["size"]) for row in recombined} == {(32, 32)}
    assert not list(alice.home.rglob("*.arrow"))


@pytest.mark.parametrize("nodes", [2, 3, 5])
def test_nodes_share_the_rows(here: Path, nodes: int) -> None:
    rows = stream()
    assert getattr(rows, "num_shards", None) == 3
    parts = [keys(split_dataset_by_node(rows, rank=rank, world_size=nodes)) for rank in range(nodes)]
    assert sorted(itertools.chain(*parts)) == sorted(KEYS)


def test_only_what_is_looked_at_is_read(here: Path, published: Hub) -> None:
    assert keys(itertools.islice(stream(), 2)) == KEYS[:2]
    assert {record.path.rpartition("/")[2] for record in published.asked("parquet", "GET")} == {
        "train-00000-of-00003.parquet"
    }


def test_a_stream_is_resumed(here: Path) -> None:
    rows = stream()
    first = iter(rows)
    seen = keys(itertools.islice(first, 5))
    later = stream()
    later.load_state_dict(rows.state_dict())
    assert seen + keys(later) == KEYS


@pytest.mark.filterwarnings("ignore:This DataLoader will create 5")
@pytest.mark.parametrize("workers", [2, 5])
def test_loader_workers_share_the_rows(here: Path, workers: int) -> None:
    data = pytest.importorskip("torch.utils.data")
    rows = stream().select_columns(["key"])
    loaded = [row["key"] for row in data.DataLoader(rows, batch_size=None, num_workers=workers)]
    assert sorted(loaded) == sorted(KEYS)


@pytest.mark.parametrize("path", ["data/train-00001", "patches/train-00001"])
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop", "after": 2000},
        {"kind": "refuse"},
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 429, "retry_after": 0},
    ],
    ids=lambda fault: f"{fault['kind']}{fault.get('status', '')}",
)
def test_a_passing_failure_is_survived(here: Path, published: Hub, fault: dict, path: str) -> None:
    injected = published.inject(Fault(path=path, times=2, **fault))
    assert described(stream()) == made_directly("train")
    assert injected.hits == 2


def test_only_the_thread_that_asks_reads(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads, read = set(), transfer._RemoteFile.readinto

    def note(self, buffer):
        threads.add(threading.current_thread())
        return read(self, buffer)

    monkeypatch.setattr(transfer._RemoteFile, "readinto", note)
    assert keys(stream()) == KEYS
    assert threads == {threading.current_thread()}


def test_a_lasting_failure_is_named(here: Path, published: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    published.inject(Fault("drop", "data/train-00001", times=None, after=100))
    with pytest.raises(UnreachableError, match=r"data/train-00001-of-00003\.parquet of ILSVRC/imagenet-1k"):
        list(stream())


@pytest.mark.parametrize("fault", ["drop", "refuse", "slow"])
def test_a_lasting_failure_is_named_soon(
    here: Path, published: Hub, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """The attempts of the Hub's client do not multiply with ours, and none is made after our patience has ended."""
    client = importlib.import_module("huggingface_hub.constants")
    monkeypatch.setattr(client, "HF_HUB_DOWNLOAD_TIMEOUT", 1.2)
    monkeypatch.setattr(importlib.import_module("fornet_hf.hub.transfer"), "_PATIENCE", 2.8)
    injected = published.inject(Fault(fault, "resolve/.*data/train-00001", times=None, seconds=60, after=100))
    start = time.monotonic()
    with pytest.raises(UnreachableError, match=r"data/train-00001-of-00003\.parquet of ILSVRC/imagenet-1k"):
        list(stream())
    assert injected.hits <= (3 if fault == "slow" else 6)  # one attempt in each reading uses up our patience, or two
    assert time.monotonic() - start < 40
