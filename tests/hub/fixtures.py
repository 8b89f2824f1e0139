"""Fixtures for tests of anything that talks to the Hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.server import running_hub
from tests.hub.state import Hub

# hub 2.x uploads through httpx in a way that httpx deprecates: not ours to mend.
uploads = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@pytest.fixture
def hub() -> Iterator[Hub]:
    """An empty Hub that runs while the test does."""
    with running_hub() as started:
        yield started


@pytest.fixture
def hub_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Makes this very process fit for `HfApi(endpoint=hub.url, token=...)`; the cache folder."""
    constants = pytest.importorskip("huggingface_hub.constants")
    cache = tmp_path / "hub_cache"
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
    return cache
