"""The list of a repository's files: that of the Hub, now or as it was remembered, and nothing less."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from fornet_hf.errors import NotFoundError, UnreachableError
from fornet_hf.hub.listing import Listing, list_files
from fornet_hf.hub.location import Repository
from tests.local_hub.faults import Fault
from tests.local_hub.state import Hub
from tests.published import FORNET

pytestmark = pytest.mark.usefixtures("here", "quick")


def fail(hub: Hub, path: str) -> None:
    hub.inject(Fault("status", path, method="", times=None))


def test_it_has_the_files_of_one_commit_with_their_digests(published: Hub) -> None:
    listing = list_files(FORNET)
    assert {*published.files(FORNET)} <= {*listing.files}
    assert {len(digest) for digest in listing.files.values()} == {40, 64}
    assert len(listing.commit or "") == 40
    commit = published.commit(FORNET, {"README.md": b"later"})
    assert (list_files(FORNET).commit, "README.md" in list_files(FORNET).files) == (commit, True)


def test_it_is_remembered_by_branch_and_commit(published: Hub) -> None:
    listing = list_files(FORNET)
    published.forget()
    assert list_files(FORNET, listing.commit) == listing
    assert published.requests == []
    fail(published, "")
    assert list_files(FORNET) == list_files(FORNET, "main") == list_files(FORNET, listing.commit) == listing


def test_without_it_there_is_none(published: Hub) -> None:
    fail(published, "")
    with pytest.raises(
        UnreachableError, match=r"the list of files of TNauen/ForNet is not in the cache.*Load it once"
    ):
        list_files(FORNET)


def test_that_of_an_older_commit_is_none_of_a_newer(published: Hub) -> None:
    list_files(FORNET)
    published.commit(FORNET, {"README.md": b"later"})
    fail(published, "/tree/")
    with pytest.raises(UnreachableError):
        list_files(FORNET)
    fail(published, "")
    assert "README.md" not in list_files(FORNET).files  # all that is known without the Hub


def test_a_revision_that_is_not_there_is_no_failure_of_the_hub() -> None:
    list_files(FORNET)
    with pytest.raises(NotFoundError, match="v9"):
        list_files(FORNET, "v9")


@pytest.mark.parametrize("damage", [b"{", b"[]", b'{"other": 1}'])
def test_a_damaged_one_is_asked_for_again(tmp_path: Path, damage: bytes) -> None:
    listing = list_files(FORNET)
    kept = [*(tmp_path / "hub_assets").rglob("*.json")]
    assert len(kept) == 2
    for path in kept:
        path.write_bytes(damage)
    assert list_files(FORNET) == listing


def test_a_place_where_nothing_can_be_kept_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    constants = importlib.import_module("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_ASSETS_CACHE", str(tmp_path / "file"))
    assert isinstance(list_files(FORNET), Listing)


def test_a_repository_is_known_by_name_and_shards(published: Hub) -> None:
    first = Repository(FORNET).identity()
    assert first == Repository(FORNET, list_files(FORNET).commit).identity()
    published.commit(FORNET, {"README.md": b"later"})
    assert Repository(FORNET).identity() == first
    published.commit(FORNET, {"data/train-00000-of-00001.parquet": b"other images"})
    assert Repository(FORNET).identity() != first
