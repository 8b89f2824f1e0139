"""The test Hub, a client and small releases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import HfFileSystem

import publish
from tests.local_hub.fixtures import hub, hub_home
from tests.local_hub.state import Hub
from tests.publish.releases import Release, make_release

__all__ = ["hub", "hub_home"]

NAME = "TNauen/ForNet"
TOKEN = "hf_" + "Ab0" * 12  # as long as real ones, so that whatever looks for tokens finds it


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """Three train shards and a validation shard."""
    return make_release(tmp_path)


@pytest.fixture
def run(hub: Hub, hub_home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The command `publish` with the owner's token, against an empty repository; waits take no time."""
    HfFileSystem.clear_instance_cache()  # old clients keep the address of the last test's Hub
    hub.create_repo(NAME)
    hub.add_user("TNauen", token=TOKEN)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr("time.sleep", lambda _: None)

    def command(folder: Path, *options: str, name: str = NAME) -> int:
        return publish.main([str(folder), name, *options])

    return command
