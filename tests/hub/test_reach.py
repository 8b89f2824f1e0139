"""A Hub that answers or does not: found out soon, told, and asked again later."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator

import pytest

from fornet_hf import load_dataset
from fornet_hf.errors import UnreachableError
from fornet_hf.hub.retry import Reach, reach, silence
from tests.local_hub.fixtures import hub
from tests.local_hub.state import Hub

__all__ = ["hub"]


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was asked, and the client waits for as long as it does of itself."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_ETAG_TIMEOUT", 10)
    reach.cache_clear()


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield the address of a Hub that takes calls and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", endpoint)
        monkeypatch.setenv("NO_PROXY", "*")
        yield endpoint


@pytest.mark.parametrize("streaming", [False, True])
def test_a_load_says_so_within_five_seconds(silent: str, tmp_path, caplog, streaming: bool) -> None:
    start = time.monotonic()
    with pytest.raises(UnreachableError, match=f"the Hub cannot be reached; found no answer from {silent} in 4 s"):
        load_dataset("TNauen/ForNet", split="train", cache_dir=tmp_path, streaming=streaming)
    assert time.monotonic() - start < 15  # 4 s and what a busy machine adds; the client alone needs half a minute
    (record,) = [one for one in caplog.records if one.name == "fornet_hf.hub.retry"]
    assert record.levelno == logging.WARNING
    assert record.getMessage() == f"Trying to reach {silent}, for 4 s at most ..."


def test_a_refused_connection_is_told_at_once() -> None:
    start = time.monotonic()
    assert "Connect" in (Reach("http://127.0.0.1:9").silence() or "")
    assert time.monotonic() - start < 4


def test_any_answer_counts(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
    assert [silence(), silence()] == [None, None]
    assert [record.status for record in hub.asked()] == [404]  # asked once


def test_it_is_asked_again_later(hub: Hub) -> None:
    once, always = Reach(hub.url), Reach(hub.url, valid=0)
    assert [one.silence() for one in (once, once, always, always)] == [None] * 4
    assert len(hub.asked()) == 3


def test_offline_nobody_is_asked(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert silence() is None
