"""Fixtures for tests of anything that talks to the Hub."""

from __future__ import annotations

import importlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local_hub.loopback import getaddrinfo
from tests.local_hub.server import running_hub
from tests.local_hub.state import Hub

# hub 2.x uploads through httpx in a way that httpx deprecates: not ours to mend.
uploads = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@pytest.fixture
def hub() -> Iterator[Hub]:
    """Yield an empty Hub that runs while the test does."""
    with running_hub() as started:
        yield started


@pytest.fixture
def hub_home(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Points the client library of this very process to the Hub; the folder that is its cache.

    `HfApi(token=...)` and the functions of `huggingface_hub` then work; `datasets` needs its own process.
    """
    constants = pytest.importorskip("huggingface_hub.constants")
    cache = tmp_path / "hub_cache"
    wanted = {
        "ENDPOINT": hub.url,
        "HUGGINGFACE_CO_URL_TEMPLATE": hub.url + "/{repo_id}/resolve/{revision}/{filename}",
        "HF_HUB_CACHE": str(cache),
        "HF_ASSETS_CACHE": str(tmp_path / "hub_assets"),
        "HF_HUB_DISABLE_XET": True,
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": True,
        "HF_HUB_DISABLE_TELEMETRY": True,
    }
    for name, value in wanted.items():
        monkeypatch.setattr(constants, name, value, raising=False)
    # hub before 1.0 holds a copy of its own.
    template = wanted["HUGGINGFACE_CO_URL_TEMPLATE"]
    downloads = importlib.import_module("huggingface_hub.file_download")
    monkeypatch.setattr(downloads, "HUGGINGFACE_CO_URL_TEMPLATE", template, raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return cache
