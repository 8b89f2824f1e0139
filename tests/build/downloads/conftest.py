"""The test Hub, which also serves plain files, with ranges and faults."""

from __future__ import annotations

import pytest

from tests.local_hub.fixtures import hub, hub_home

__all__ = ["hub", "hub_home"]


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between attempts take no time."""
    monkeypatch.setattr("time.sleep", lambda _: None)
