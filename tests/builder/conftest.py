"""A published release on a test Hub, and users who load it."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builder.user import User
from tests.local_hub.fixtures import hub, hub_home
from tests.local_hub.state import Hub
from tests.published import IMAGENET, publish_release, publish_source, write_release

__all__ = ["hub", "hub_home"]


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str | None, int], Path]:
    """Folders with the small release, made once for each source revision and strength of infilling."""
    made: dict[tuple[str | None, int], Path] = {}

    def get(revision: str | None, strength: int = 0) -> Path:
        if (revision, strength) not in made:
            folder = made[revision, strength] = tmp_path_factory.mktemp("release")
            write_release(folder, revision, strength)
        return made[revision, strength]

    return get


@pytest.fixture
def published(hub: Hub, release: Callable[..., Path]) -> Hub:
    """A Hub with the gated source and the release; alice has access, bob asked for none."""
    publish_release(hub, release(publish_source(hub)))
    hub.add_user("bob")
    hub.add_user("alice")
    hub.gate(IMAGENET, allow={"alice"})
    hub.forget()
    return hub


@pytest.fixture
def alice(published: Hub, tmp_path: Path) -> User:
    """A user with access to ImageNet, on a new machine."""
    return User(published, tmp_path / "alice", "hf_alice_write")


@pytest.fixture
def here(published: Hub, hub_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This very process is alice's, with two workers and without pauses; a folder for `cache_dir`."""
    monkeypatch.setenv("HF_TOKEN", "hf_alice_write")
    monkeypatch.setenv("MAX_WORKERS", "2")
    # Imported here, for they read the environment which the outermost conftest sets.
    client = importlib.import_module("huggingface_hub")
    monkeypatch.setattr(client.constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", False)
    monkeypatch.setattr(client.HfFileSystem, "cachable", False)  # the next test has another Hub
    monkeypatch.setattr(importlib.import_module("fornet_hf.hub.transfer"), "_FIRST_PAUSE", 0.01)
    importlib.import_module("fornet_hf.hub.retry").reach.cache_clear()
    return hub_home.parent / "prepared"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Hub's client waits for long before it asks again."""
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.01)))
