"""Keeping a Hub in a folder: contents as files named by their digest, everything else as one JSON file."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.local_hub.access import User
from tests.local_hub.contents import Contents, Entry
from tests.local_hub.repository import Commit, PullRequest, Repository
from tests.local_hub.state import Hub

_NAME = "hub.json"


def open_hub(folder: Path) -> Hub:
    """Return the Hub that was saved in this folder, or an empty one that keeps its contents there."""
    hub = Hub(contents=Contents(folder / "contents"))
    path = folder / _NAME
    if not path.is_file():
        return hub
    state = json.loads(path.read_text(encoding="utf-8"))
    for user in state["users"]:
        user["organisations"] = tuple(user["organisations"])
        hub.users[user["token"]] = User(**user)
    for described in state["repositories"]:
        repository = _repository(described)
        hub.repositories[repository.kind, repository.name] = repository
    return hub


def save_hub(hub: Hub, folder: Path) -> None:
    """Write what the Hub is now, in place of what was there."""
    folder.mkdir(parents=True, exist_ok=True)
    with hub.lock:
        users = [asdict(user) for user in hub.users.values()]
        state = {"users": users, "repositories": [asdict(item) for item in hub.repositories.values()]}
        text = json.dumps(state, default=sorted)  # the sets
    unfinished = folder / f"{_NAME}.new"
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(folder / _NAME)


def _repository(state: dict[str, Any]) -> Repository:
    commits = {oid: _commit(described) for oid, described in state.pop("commits").items()}
    pulls = {int(number): PullRequest(**described) for number, described in state.pop("pulls").items()}
    allowed, objects = set(state.pop("allowed")), set(state.pop("objects"))
    return Repository(**state, commits=commits, pulls=pulls, allowed=allowed, objects=objects)


def _commit(state: dict[str, Any]) -> Commit:
    files = {path: Entry(**entry) for path, entry in state.pop("files").items()}
    return Commit(**state, files=files)
