"""Pull requests as discussions: open, list, look at, merge, close."""

from __future__ import annotations

from typing import Any

from tests.local_hub import access
from tests.local_hub.api import API, visible
from tests.local_hub.errors import HubError
from tests.local_hub.messages import Request, Response, Route, respond
from tests.local_hub.repository import PullRequest, Repository
from tests.local_hub.state import Hub

DISCUSSIONS = f"{API}/discussions"
ONE = rf"{DISCUSSIONS}/(?P<number>\d+)"


def open_pull(hub: Hub, request: Request, kind: str, name: str) -> Response:
    """Open a pull request without changes, to be committed to as refs/pr/N."""
    repository = visible(hub, request, kind, name)
    user, wanted = access.check_role(request.user), request.json
    if not wanted.get("pullRequest"):
        raise HubError(400, "This test Hub knows pull requests only, no other discussions")
    pull = repository.open_pull("main", wanted["title"], user.name, description=wanted.get("description", ""))
    return respond({"num": pull.number})


def list_pulls(hub: Hub, request: Request, kind: str, name: str) -> Response:
    """Return all pull requests, newest first, on one page."""
    repository = visible(hub, request, kind, name)
    pulls = [_describe(repository, pull) for pull in reversed(repository.pulls.values())]
    return respond({"count": len(pulls), "start": 0, "discussions": pulls})


def show(hub: Hub, request: Request, kind: str, name: str, number: str) -> Response:
    """Return one pull request in detail."""
    repository = visible(hub, request, kind, name)
    pull = _pull(repository, number)
    changes = {"base": f"refs/heads/{pull.base}", "mergeCommitId": pull.merged}
    details = {"changes": changes, "filesWithConflicts": [], "events": [], "diff": ""}
    return respond({**_describe(repository, pull), **details})


def merge(hub: Hub, request: Request, kind: str, name: str, number: str) -> Response:
    """Bring the changes to the base branch."""
    repository = visible(hub, request, kind, name)
    access.check_role(access.check_writable(repository.owner, request.user))
    repository.merge(_pull(repository, number).number)
    return respond({})


def change_status(hub: Hub, request: Request, kind: str, name: str, number: str) -> Response:
    """Close a pull request, or open it again."""
    repository = visible(hub, request, kind, name)
    access.check_role(access.check_writable(repository.owner, request.user))
    pull, status = _pull(repository, number), request.json["status"]
    pull.status = status
    author = {"name": pull.author}
    event = {"id": "0", "type": "status-change", "createdAt": pull.created, "author": author}
    return respond({"newStatus": {**event, "data": {"status": status}}})


def _pull(repository: Repository, number: str) -> PullRequest:
    if int(number) not in repository.pulls:
        raise HubError(404, f"No discussion {number}")
    return repository.pulls[int(number)]


def _describe(repository: Repository, pull: PullRequest) -> dict[str, Any]:
    return {
        "num": pull.number,
        "title": pull.title,
        "status": pull.status,
        "isPullRequest": True,
        "createdAt": pull.created,
        "author": {"name": pull.author},
        "repo": {"name": repository.name, "type": repository.kind[:-1]},
    }


ROUTES = [
    Route("POST", DISCUSSIONS, open_pull),
    Route("GET", DISCUSSIONS, list_pulls),
    Route("GET", ONE, show),
    Route("POST", f"{ONE}/merge", merge),
    Route("POST", f"{ONE}/status", change_status),
]
