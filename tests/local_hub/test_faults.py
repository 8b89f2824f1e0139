"""Each kind of fault, as the real client meets it."""

from __future__ import annotations

import threading
import time
from http.client import IncompleteRead, RemoteDisconnected
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from tests.local_hub.client import get
from tests.local_hub.faults import Fault
from tests.local_hub.fixtures import uploads
from tests.local_hub.server import running_hub
from tests.local_hub.state import Hub

NAME = "TNauen/ForNet"
pytestmark = uploads
SHARD = bytes(range(256)) * 4000


since_1_0 = pytest.mark.skipif(
    int(huggingface_hub.__version__.partition(".")[0]) < 1, reason="hub before 1.0 gives up at once"
)


@pytest.fixture
def api(hub: Hub, hub_home: Path, monkeypatch: pytest.MonkeyPatch) -> HfApi:
    """Return the owner's client, which does not wait between its attempts."""
    waits: list[float] = []
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(waits.append(seconds) or seconds, 0.01)))
    hub.commit(NAME, {"a.zip": SHARD})
    return HfApi(endpoint=hub.url, token=hub.add_user("TNauen"))


def fetch(hub: Hub, path: str = "a.zip") -> bytes:
    """Return a file's bytes, by one plain request."""
    return get(f"{hub.url}/datasets/{NAME}/resolve/main/{path}").body


@since_1_0
def test_a_dropped_download_is_resumed(api: HfApi, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    # The client keeps whole chunks only, of 10 MB if left alone.
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 100_000)
    fault = hub.inject(Fault("drop", r"a\.zip", after=300_000))
    path = Path(api.hf_hub_download(NAME, "a.zip", repo_type="dataset"))
    assert path.read_bytes() == SHARD
    assert fault.hits == 1
    first, second = hub.asked("/resolve/", "GET")
    assert (first.sent, first.fault) == (300_000, "drop")
    assert (second.status, second.sent) == (206, len(SHARD) - 300_000)


def test_a_drop_is_seen_by_a_plain_reader(hub: Hub) -> None:
    hub.commit(NAME, {"a.zip": SHARD})
    hub.inject(Fault("drop", after=1000))
    with pytest.raises(IncompleteRead):
        fetch(hub)
    assert fetch(hub) == SHARD


def test_a_refused_request_is_not_answered(hub: Hub) -> None:
    hub.commit(NAME, {"a.zip": SHARD})
    hub.inject(Fault("refuse"))
    with pytest.raises(RemoteDisconnected):
        fetch(hub)
    assert (hub.requests[-1].status, hub.requests[-1].fault) == (0, "refuse")


def test_a_busy_server_is_asked_again(api: HfApi, hub: Hub) -> None:
    hub.inject(Fault("status", "/_lfs/", method="PUT", status=503))
    api.upload_file(path_or_fileobj=b"new", path_in_repo="b.zip", repo_id=NAME, repo_type="dataset")
    assert [record.status for record in hub.asked("/_lfs/", "PUT")] == [503, 200]
    assert hub.files(NAME)["b.zip"] == b"new"


@since_1_0
def test_a_limited_client_comes_back_later(api: HfApi, hub: Hub) -> None:
    hub.inject(Fault("status", "/_lfs/", method="PUT", status=429, retry_after=1))
    api.upload_file(path_or_fileobj=b"new", path_in_repo="b.zip", repo_id=NAME, repo_type="dataset")
    assert [record.status for record in hub.asked("/_lfs/", "PUT")] == [429, 200]


def test_retry_after_is_sent(hub: Hub) -> None:
    hub.inject(Fault("status", "whoami", status=429, retry_after=7))
    answer = get(f"{hub.url}/api/whoami-v2")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")


def test_a_server_error_reaches_the_caller(api: HfApi, hub: Hub) -> None:
    head = hub.head(NAME)
    hub.inject(Fault("status", "/commit/", method="POST", status=500, times=None))
    with pytest.raises(HfHubHTTPError, match="500"):
        api.upload_file(path_or_fileobj=b"n", path_in_repo="n.txt", repo_id=NAME, repo_type="dataset")
    assert hub.head(NAME) == head


def test_a_slow_answer_is_waited_for(hub: Hub) -> None:
    hub.commit(NAME, {"a.zip": SHARD})
    hub.inject(Fault("slow", seconds=0.3))
    start = time.monotonic()
    assert fetch(hub) == SHARD
    assert time.monotonic() - start >= 0.3


def test_a_slow_answer_does_not_hold_up_the_end() -> None:
    start = time.monotonic()
    with running_hub() as hub:
        hub.inject(Fault("slow", seconds=60))
        with pytest.raises(TimeoutError):
            get(f"{hub.url}/api/whoami-v2", timeout=0.1)
    while any("process_request_thread" in thread.name for thread in threading.enumerate()):
        assert time.monotonic() - start < 10
        time.sleep(0.01)


def test_one_bit_is_flipped(hub: Hub) -> None:
    hub.commit(NAME, {"a.zip": SHARD})
    hub.inject(Fault("flip", after=1234))
    found = fetch(hub)
    assert [i for i, (x, y) in enumerate(zip(found, SHARD, strict=True)) if x != y] == [1234]
    assert found[1234] ^ SHARD[1234] == 1
    assert hub.files(NAME)["a.zip"] == SHARD


def test_a_cut_upload_leaves_nothing_and_is_sent_again(api: HfApi, hub: Hub) -> None:
    hub.inject(Fault("cut", "/_lfs/", method="PUT", after=100_000))
    api.upload_file(path_or_fileobj=SHARD * 2, path_in_repo="b.zip", repo_id=NAME, repo_type="dataset")
    cut, whole = hub.asked("/_lfs/", "PUT")
    assert (cut.status, cut.fault, whole.received) == (0, "cut", 2 * len(SHARD))
    assert cut.received < whole.received
    assert len(hub.uploads) == 1


def test_a_commit_can_succeed_though_its_answer_is_lost(api: HfApi, hub: Hub) -> None:
    hub.inject(Fault("lost", "/commit/", method="POST"))
    with pytest.raises(Exception, match=r"disconnected|aborted|closed"):
        api.upload_file(path_or_fileobj=b"n", path_in_repo="n.txt", repo_id=NAME, repo_type="dataset")
    assert hub.files(NAME)["n.txt"] == b"n"


def test_the_first_matches_can_be_spared(hub: Hub) -> None:
    hub.commit(NAME, {"a.zip": SHARD})
    fault = hub.inject(Fault("refuse", r"a\.zip", skip=1, times=1))
    assert fetch(hub) == SHARD
    with pytest.raises(RemoteDisconnected):
        fetch(hub)
    assert fetch(hub) == SHARD
    assert fault.hits == 1


def test_a_hub_comes_back_with_its_repositories(api: HfApi, hub: Hub) -> None:
    with running_hub() as other:
        other.commit(NAME, {"a.txt": b"a"})
        port = int(other.url.rpartition(":")[2])
    with pytest.raises(ConnectionError):
        get(other.url)
    with running_hub(other, port=port):
        assert fetch(other, "a.txt") == b"a"
