"""Fetched things are checked against what is stated and what was noted, wherever they come from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from fornet_hf.errors import AccessError, ConfigurationError, IntegrityError, NotFoundError, UnreachableError
from producers.downloads.fetching import Fetching
from producers.downloads.item import DATASET, FILE, MODEL, PAGE, Item
from tests.local_hub.state import Hub

NAME = "you/sets"
CONTENT = b"archive" * 100
SHA256, MD5 = hashlib.sha256(CONTENT).hexdigest(), hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


@pytest.fixture
def way(hub: Hub, hub_home: Path, tmp_path: Path) -> Fetching:
    hub.commit(NAME, {"a.tgz": CONTENT})
    return Fetching(out=tmp_path / "out")


def file(hub: Hub, digest: str = "", **options: object) -> Item:
    address = f"{hub.url}/datasets/{NAME}/resolve/main/a.tgz?dl=1"
    by = "somebody" if digest else ""
    return Item(name="a", kind=FILE, address=address, wanted_by="us", digest=digest, stated_by=by, **options)


def notes(way: Fetching) -> dict[str, dict[str, object]]:
    return json.loads((way.out / "downloads.json").read_text())


@pytest.mark.parametrize("digest", [f"sha256:{SHA256}", f"sha256:{SHA256[:8]}", f"md5:{MD5}"])
def test_a_file_with_the_stated_digest_is_noted(hub: Hub, way: Fetching, digest: str) -> None:
    (path,) = way.get(file(hub, digest))
    assert path == way.out / "a" / "a.tgz"
    assert path.read_bytes() == CONTENT
    assert notes(way)["a"]["digest"] == SHA256
    assert notes(way)["a"]["bytes"] == len(CONTENT)
    assert way.state(file(hub, digest)) == ("there", path)


def test_a_file_with_another_digest_is_refused_and_not_noted(hub: Hub, way: Fetching) -> None:
    item = file(hub, "md5:" + "0" * 32)
    with pytest.raises(IntegrityError, match=f"found md5:{MD5}; allowed: md5:0+, says somebody"):
        way.get(item)
    assert [*way.out.rglob("*.*")] == []
    assert way.state(item)[0] == "absent"


def test_a_file_whose_digest_nobody_states_must_be_the_same_ever_after(hub: Hub, way: Fetching) -> None:
    said: list[str] = []
    (path,) = Fetching(out=way.out, say=said.append).get(file(hub))
    assert f"its SHA-256 is noted: {SHA256}" in said[-1]
    hub.forget()
    assert way.get(file(hub)) == [path]
    assert hub.requests == []
    path.unlink()
    hub.commit(NAME, {"a.tgz": CONTENT[::-1]})
    with pytest.raises(IntegrityError, match="says the file that was fetched first"):
        way.get(file(hub))
    assert not path.exists()


def test_a_damaged_file_is_found(hub: Hub, way: Fetching) -> None:
    (path,) = way.get(file(hub))
    path.write_bytes(CONTENT[:-1])
    assert way.state(file(hub)) == ("damaged", path)


def test_what_is_absent_or_broke_off_is_told(hub: Hub, way: Fetching) -> None:
    assert way.state(file(hub)) == ("absent", None)
    part = way.out / "a" / "a.tgz.part"
    part.parent.mkdir(parents=True)
    part.touch()
    assert way.state(file(hub))[0] == "part"


def test_weights_go_where_torch_looks_unless_a_folder_is_named(
    hub: Hub, way: Fetching, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    item = file(hub, in_torch=True)
    assert way.get(item) == [tmp_path / "torch" / "hub" / "checkpoints" / "a.tgz"]
    assert Fetching(out=way.out, everything=True).get(item) == [way.out / "a" / "a.tgz"]


def test_torchs_folder_is_torchs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    hub_of_torch = pytest.importorskip("torch.hub")
    from producers.downloads.places import torch_checkpoints

    for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
        assert str(torch_checkpoints()) == f"{hub_of_torch.get_dir()}/checkpoints"
        monkeypatch.setenv(name, "/somewhere")
        assert str(torch_checkpoints()) == f"{hub_of_torch.get_dir()}/checkpoints"
        monkeypatch.delenv(name)


def test_files_that_people_fetch_are_checked_when_they_are_there(way: Fetching) -> None:
    options = {"kind": PAGE, "address": "https://example.org/page", "wanted_by": "us", "digest": f"md5:{MD5}"}
    item = Item(name="a", files=("a.tar",), stated_by="somebody", **options)
    with pytest.raises(NotFoundError, match=r"Open https://example.org/page .* Put a.tar into .*out/a"):
        way.get(item)
    path = way.out / "a" / "a.tar"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert way.get(item) == [path]
    path.write_bytes(b"another")
    with pytest.raises(IntegrityError):
        way.get(item)
    assert way.state(Item(name="b", kind=PAGE, address="https://example.org/page", wanted_by="us")) == (
        "by hand",
        None,
    )


@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("kind", [DATASET, MODEL])
def test_repositories_come_at_one_commit_and_the_same_one_later(
    hub: Hub, way: Fetching, kind: str, everything: bool
) -> None:
    hub.commit("them/model", {"config.json": b"{}", "model.safetensors": b"1", "model.bin": b"2"}, kind=f"{kind}s")
    first = hub.head("them/model", kind=f"{kind}s")
    patterns = ("*.json", "*.safetensors")
    item = Item(name="m", kind=kind, address="them/model", wanted_by="us", patterns=patterns)
    way = Fetching(out=way.out, everything=everything)
    assert way.state(item) == ("absent", None)
    (folder,) = way.get(item)
    assert {path.name for path in folder.iterdir() if path.is_file()} == {"config.json", "model.safetensors"}
    assert (folder == way.out / "m") is everything
    assert notes(way)["m"]["digest"] == first
    hub.commit("them/model", {"config.json": b"[]"}, kind=f"{kind}s")
    (folder,) = way.get(item)
    assert (folder / "config.json").read_bytes() == b"{}"
    assert way.state(item) == ("there", folder)


def test_a_pinned_commit_is_fetched(hub: Hub, way: Fetching) -> None:
    hub.commit("them/model", {"config.json": b"1"}, kind="models")
    pinned = hub.head("them/model", kind="models")
    hub.commit("them/model", {"config.json": b"2"}, kind="models")
    (folder,) = way.get(Item(name="m", kind=MODEL, address="them/model", wanted_by="us", revision=pinned))
    assert (folder / "config.json").read_bytes() == b"1"


def test_a_gated_repository_says_where_to_accept(hub: Hub, way: Fetching) -> None:
    hub.gate(NAME)
    item = Item(name="g", kind=DATASET, address=NAME, wanted_by="us", terms="https://example.org/terms")
    with pytest.raises(AccessError, match=r"Its terms: https://example\.org/terms"):
        Fetching(out=way.out, token=hub.add_user("alice")).get(item)


def test_a_missing_repository_and_an_absent_hub_are_told(hub: Hub, way: Fetching, monkeypatch) -> None:
    item = Item(name="m", kind=MODEL, address="them/nothing", wanted_by="us")
    with pytest.raises(NotFoundError, match="no such repository"):
        way.get(item)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UnreachableError, match="is only on the Hub, which cannot be reached"):
        way.get(item)


def test_damaged_notes_are_told(hub: Hub, way: Fetching) -> None:
    way.out.mkdir()
    (way.out / "downloads.json").write_text("[1]")
    with pytest.raises(ConfigurationError, match="damaged"):
        way.get(file(hub))
