"""Commits: the changes of one ndjson body, made as a whole or not at all."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Any

from tests.local_hub import access
from tests.local_hub.api import API, REVISION, visible, web_url
from tests.local_hub.attributes import REGULAR_LIMIT
from tests.local_hub.contents import Entry, describe
from tests.local_hub.errors import HubError, entry_not_found, forbidden, stale_parent
from tests.local_hub.messages import Request, Response, Route, respond
from tests.local_hub.repository import Commit, PullRequest, Repository
from tests.local_hub.state import Hub


@dataclass
class Proposal:
    """A commit as the client asks for it."""

    title: str = ""
    description: str = ""
    parent: str = ""
    operations: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


def commit(hub: Hub, request: Request, kind: str, name: str, revision: str) -> Response:
    """Apply the changes to a branch or refs/pr/N, or open a pull request with them; 412 on a stale parent."""
    repository = visible(hub, request, kind, name)
    user = access.check_role(request.user)
    proposal, create_pr = parse(request.body), request.flag("create_pr")
    pull = None
    if create_pr:
        state = _apply(hub, repository, repository.commit_at(proposal.parent or revision), proposal)
        pull = repository.open_pull(
            revision, proposal.title, user.name, description=proposal.description, start=proposal.parent
        )
        target = f"refs/pr/{pull.number}"
    else:
        _check_may_change(repository, revision, request)
        head, target = repository.commit_at(revision), revision
        if proposal.parent and not head.oid.startswith(proposal.parent):
            raise stale_parent()
        state = _apply(hub, repository, head, proposal)
    made = repository.add_commit(target, state, proposal.title, author=user.name, description=proposal.description)
    return respond(_receipt(hub, repository, made, pull))


def parse(body: bytes) -> Proposal:
    """Return the header and the operations in the lines of a commit's body."""
    proposal = Proposal()
    for line in body.splitlines():
        if not line.strip():
            continue
        item = json.loads(line)
        key, value = item["key"], item["value"]
        if key == "header":
            proposal.title, proposal.description = value.get("summary", ""), value.get("description", "")
            proposal.parent = value.get("parentCommit", "")
        else:
            proposal.operations.append((key, value))
    if not proposal.title:
        raise HubError(400, "A commit needs a summary")
    return proposal


def _apply(hub: Hub, repository: Repository, head: Commit, proposal: Proposal) -> dict[str, Entry]:
    files = dict(head.files)
    for key, value in proposal.operations:
        path = value["path"]
        if key == "file":
            files[path] = _regular(hub, path, b64decode(value["content"]))
        elif key == "lfsFile":
            files[path] = _large(hub, repository, path, value["oid"])
        elif key in ("deletedFile", "deletedFolder"):
            _delete(files, path, head, folder=key == "deletedFolder")
        else:
            raise HubError(400, f"Unknown operation {key}")
    return files


def _regular(hub: Hub, path: str, content: bytes) -> Entry:
    if len(content) > REGULAR_LIMIT:
        raise HubError(400, f"{path} has {len(content)} bytes: files above {REGULAR_LIMIT} bytes must use LFS")
    return hub.contents.entry(content, lfs=False)


def _large(hub: Hub, repository: Repository, path: str, oid: str) -> Entry:
    if oid not in repository.objects:
        raise HubError(400, f"{path}: LFS pointer pointed to a file that does not exist ({oid})")
    return describe(oid, hub.contents.get(oid), lfs=True)


def _delete(files: dict[str, Entry], path: str, head: Commit, *, folder: bool) -> None:
    prefix = path.strip("/") + "/"
    gone = [name for name in files if (name.startswith(prefix) if folder else name == path)]
    if not gone:
        raise entry_not_found(path, head.oid)
    for name in gone:
        del files[name]


def _check_may_change(repository: Repository, revision: str, request: Request) -> None:
    user = access.check_known(request.user)
    number = revision.removeprefix("refs/pr/")
    if revision != number and number.isdigit() and int(number) in repository.pulls:
        pull = repository.pulls[int(number)]
        if pull.status != "open":
            raise forbidden(f"Pull request {number} is {pull.status}")
        if pull.author == user.name:
            return
    access.check_writable(repository.owner, user)


def _receipt(hub: Hub, repository: Repository, made: Commit, pull: PullRequest | None) -> dict[str, Any]:
    page = web_url(hub, repository)
    receipt = {
        "success": True,
        "commitOid": made.oid,
        "commitUrl": f"{page}/commit/{made.oid}",
        "hookOutput": "",
    }
    return receipt if pull is None else {**receipt, "pullRequestUrl": f"{page}/discussions/{pull.number}"}


ROUTES = [Route("POST", f"{API}/commit/{REVISION}", commit)]
