"""Branches, tags and the history behind them."""

from __future__ import annotations

from tests.local_hub import access
from tests.local_hub.api import API, REVISION, visible
from tests.local_hub.errors import HubError, entry_not_found, forbidden
from tests.local_hub.messages import Request, Response, Route, respond
from tests.local_hub.state import Hub

REF = "(?P<sort>tag|branch)/(?P<ref>[^/]+)"


def refs(hub: Hub, request: Request, kind: str, name: str) -> Response:
    """Branches and tags, and pull requests if asked."""
    repository = visible(hub, request, kind, name)
    answer = {
        "branches": [_ref(branch, f"refs/heads/{branch}", oid) for branch, oid in repository.branches.items()],
        "tags": [_ref(tag, f"refs/tags/{tag}", oid) for tag, oid in repository.tags.items()],
        "converts": [],
    }
    if request.flag("include_prs"):
        pulls = repository.pulls.values()
        answer["pullRequests"] = [_ref(f"refs/pr/{p.number}", f"refs/pr/{p.number}", p.head) for p in pulls]
    return respond(answer)


def commits(hub: Hub, request: Request, kind: str, name: str, revision: str) -> Response:
    """Return the history of a revision, newest first."""
    repository = visible(hub, request, kind, name)
    history = repository.history(repository.commit_at(revision))
    return respond(
        [
            {
                "id": c.oid,
                "title": c.title,
                "message": c.description,
                "date": c.date,
                "authors": [{"user": c.author}],
            }
            for c in history
        ]
    )


def add_ref(hub: Hub, request: Request, kind: str, name: str, sort: str, ref: str) -> Response:
    """Set a new tag on a revision, or begin a new branch; 409 if there is one of this name."""
    repository = visible(hub, request, kind, name)
    access.check_role(access.check_writable(repository.owner, request.user))
    wanted = request.json
    names = repository.tags if sort == "tag" else repository.branches
    new, start = (wanted["tag"], ref) if sort == "tag" else (ref, wanted.get("startingPoint") or "main")
    oid = repository.commit_at(start).oid
    if new in names:
        raise HubError(409, f"{sort.capitalize()} {new} already exists")
    names[new] = oid
    return Response()


def remove_ref(hub: Hub, request: Request, kind: str, name: str, sort: str, ref: str) -> Response:
    """Forget a tag or a branch other than main."""
    repository = visible(hub, request, kind, name)
    access.check_role(access.check_writable(repository.owner, request.user))
    names = repository.tags if sort == "tag" else repository.branches
    if ref not in names:
        raise entry_not_found(ref, repository.commit_at("main").oid)
    if sort == "branch" and ref == "main":
        raise forbidden("Cannot delete the branch main")
    del names[ref]
    return Response()


def _ref(name: str, ref: str, oid: str) -> dict[str, str]:
    return {"name": name, "ref": ref, "targetCommit": oid}


ROUTES = [
    Route("GET", f"{API}/refs", refs),
    Route("GET", f"{API}/commits/{REVISION}", commits),
    Route("POST", f"{API}/{REF}", add_ref),
    Route("DELETE", f"{API}/{REF}", remove_ref),
]
