"""A file from its address: resumed, whole, or explained."""

from __future__ import annotations

import errno
import urllib.request
from pathlib import Path

import pytest

from fornet_hf.errors import IntegrityError, NotFoundError, StorageError, UnreachableError
from fornet_hf.hub.retry import Patience
from producers.downloads.files import fetch
from tests.local_hub.faults import Fault
from tests.local_hub.state import Hub

NAME = "you/sets"
CONTENT = bytes(range(256)) * 4000  # about a megabyte


@pytest.fixture
def address(hub: Hub) -> str:
    hub.commit(NAME, {"a.tgz": CONTENT})
    return f"{hub.url}/datasets/{NAME}/resolve/main/a.tgz"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "a.tgz"


def only(path: Path) -> bool:
    """Nothing lies beside the file."""
    return [*path.parent.iterdir()] == [path]


def test_a_file_arrives_whole(address: str, path: Path) -> None:
    fetch(address, path, lambda _: None)
    assert path.read_bytes() == CONTENT
    assert only(path)


def test_a_connection_that_breaks_is_resumed_where_it_was(hub: Hub, address: str, path: Path) -> None:
    hub.inject(Fault("drop", "a.tgz", after=300_000))
    hub.inject(Fault("drop", "a.tgz", after=200_000))
    said: list[str] = []
    fetch(address, path, said.append)
    assert path.read_bytes() == CONTENT
    assert only(path)
    assert [(one.status, one.sent) for one in hub.asked("a.tgz")] == [(200, 300_000), (206, 200_000), (206, 524_000)]
    assert [line for line in said if "going on at" in line]


def interrupt(hub: Hub, address: str, path: Path) -> None:
    """Leave a part of the file."""
    hub.inject(Fault("drop", "a.tgz", after=300_000))
    with pytest.raises(UnreachableError, match="it goes on where it stopped"):
        fetch(address, path, lambda _: None, Patience(attempts=1))
    hub.forget()
    assert not path.exists()


def test_another_command_goes_on_with_what_an_interrupted_one_left(hub: Hub, address: str, path: Path) -> None:
    interrupt(hub, address, path)
    fetch(address, path, lambda _: None)
    assert path.read_bytes() == CONTENT
    assert [one.status for one in hub.asked("a.tgz")] == [206]


def test_a_file_that_changed_meanwhile_is_fetched_from_its_beginning(hub: Hub, address: str, path: Path) -> None:
    interrupt(hub, address, path)
    hub.commit(NAME, {"a.tgz": CONTENT[::-1]})
    fetch(address, path, lambda _: None)
    assert path.read_bytes() == CONTENT[::-1]
    assert [one.status for one in hub.asked("a.tgz")] == [200]


def leave(address: str, path: Path, part: bytes) -> None:
    """Put a part of the version that the server has beside the path."""
    with urllib.request.urlopen(address) as answer:  # noqa: S310
        version = answer.headers["ETag"]
    path.parent.mkdir()
    path.with_name("a.tgz.part").write_bytes(part)
    path.with_name("a.tgz.part.version").write_text(version)


def test_what_was_there_whole_is_not_sent_again(hub: Hub, address: str, path: Path) -> None:
    leave(address, path, CONTENT)
    hub.forget()
    fetch(address, path, lambda _: None)
    assert path.read_bytes() == CONTENT
    assert sum(one.sent for one in hub.asked("a.tgz")) < 1000


def test_a_part_that_is_longer_than_the_file_begins_anew(address: str, path: Path) -> None:
    leave(address, path, CONTENT + b"more")
    fetch(address, path, lambda _: None)
    assert path.read_bytes() == CONTENT


def test_a_part_of_an_unknown_version_begins_anew(address: str, path: Path) -> None:
    path.parent.mkdir()
    path.with_name("a.tgz.part").write_bytes(b"another file")
    fetch(address, path, lambda _: None)
    assert path.read_bytes() == CONTENT
    assert only(path)


def test_a_file_that_is_refused_never_takes_its_place(address: str, path: Path) -> None:
    def check(part: Path) -> None:
        assert part.read_bytes() == CONTENT
        assert not path.exists()
        raise IntegrityError("another file")

    with pytest.raises(IntegrityError, match="another file"):
        fetch(address, path, lambda _: None, check=check)
    assert [*path.parent.iterdir()] == []


def test_a_busy_server_is_asked_again(hub: Hub, address: str, path: Path) -> None:
    hub.inject(Fault("status", "a.tgz", status=503, times=2))
    fetch(address, path, lambda _: None)
    assert path.read_bytes() == CONTENT


def test_a_file_that_is_gone_is_told_at_once(hub: Hub, address: str, path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"there is no file at .*b\.tgz any more; found status 404"):
        fetch(address.replace("a.tgz", "b.tgz"), path, lambda _: None)
    assert len(hub.asked("b.tgz")) == 1
    assert not path.exists()


def test_a_refusal_is_told_at_once(hub: Hub, address: str, path: Path) -> None:
    hub.inject(Fault("status", "a.tgz", status=403, times=None))
    with pytest.raises(UnreachableError, match="403"):
        fetch(address, path, lambda _: None)
    assert len(hub.asked("a.tgz")) == 1


def test_a_page_in_place_of_the_file_is_not_taken_for_it(hub: Hub, address: str, path: Path) -> None:
    hub.inject(Fault("html", "a.tgz"))
    with pytest.raises(UnreachableError, match=r"a page came in place of a file; found http://.*a\.tgz"):
        fetch(address, path, lambda _: None)
    assert [*path.parent.iterdir()] == []


def test_no_server_is_told(path: Path) -> None:
    with pytest.raises(UnreachableError, match="cannot fetch http://127"):
        fetch("http://127.0.0.1:9/a.tgz", path, lambda _: None)


def test_a_full_disk_is_told(address: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("producers.downloads.files.progress", full)
    with pytest.raises(StorageError, match="the disk is full"):
        fetch(address, path, lambda _: None)
