"""The JSON calls that create and describe repositories."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from tests.local_hub import access, tree
from tests.local_hub.errors import forbidden, repository_not_found
from tests.local_hub.messages import Request, Response, Route, respond
from tests.local_hub.repository import Commit, Repository
from tests.local_hub.state import Hub

KIND = "(?P<kind>models|datasets|spaces)"
REPO = "(?P<name>[^/]+/[^/]+)"
REVISION = r"(?P<revision>refs/pr/\d+|[^/]+)"
API = f"/api/{KIND}/{REPO}"


def visible(hub: Hub, request: Request, kind: str, name: str) -> Repository:
    """Return the repository, if this user may know of it."""
    return access.check_visible(hub.repositories.get((kind, name)), request.user)


def web_url(hub: Hub, repository: Repository) -> str:
    """Return the address of the repository's page."""
    prefix = "" if repository.kind == "models" else f"{repository.kind}/"
    return f"{hub.url}/{prefix}{repository.name}"


def whoami(_hub: Hub, request: Request) -> Response:
    """Tell who the token belongs to."""
    user = access.check_known(request.user)
    role = {"displayName": "test", "role": "write" if user.write else "read"}
    organisations = [{"type": "org", "name": name} for name in user.organisations]
    auth = {"type": "access_token", "accessToken": role}
    return respond({"type": "user", "name": user.name, "fullname": user.name, "orgs": organisations, "auth": auth})


def create(hub: Hub, request: Request) -> Response:
    """Create a repository; 409 with its address if there is one of this name."""
    wanted = request.json
    user = access.check_role(request.user)
    namespace = wanted.get("organization") or user.name
    if not user.owns(namespace):
        raise forbidden(f'You don\'t have the rights to create a dataset under the namespace "{namespace}"')
    kind, name = f"{wanted.get('type') or 'model'}s", f"{namespace}/{wanted['name']}"
    known = hub.repositories.get((kind, name))
    if known is not None:
        message = f"You already created this {kind[:-1]} repo: {name}"
        return respond({"error": message, "url": web_url(hub, known)}, 409, {"X-Error-Message": message})
    private = bool(wanted.get("private")) or wanted.get("visibility") == "private"
    repository = hub.create_repo(name, kind=kind, private=private)
    return respond({"url": web_url(hub, repository), "name": name, "id": name})


def delete(hub: Hub, request: Request) -> Response:
    """Remove a repository."""
    wanted = request.json
    user = access.check_role(request.user)
    namespace = wanted.get("organization") or user.name
    key = (f"{wanted.get('type') or 'model'}s", f"{namespace}/{wanted['name']}")
    if key not in hub.repositories:
        raise repository_not_found(logged_in=True)
    access.check_writable(namespace, user)
    del hub.repositories[key]
    return Response()


def settings(hub: Hub, request: Request, kind: str, name: str) -> Response:
    """Change who may see and read the repository."""
    repository = visible(hub, request, kind, name)
    access.check_role(access.check_writable(repository.owner, request.user))
    wanted = request.json
    if "gated" in wanted:
        repository.gated = wanted["gated"]
    if "visibility" in wanted or "private" in wanted:
        repository.private = wanted.get("visibility") == "private" or bool(wanted.get("private"))
    return respond({"private": repository.private, "gated": repository.gated})


def info(hub: Hub, request: Request, kind: str, name: str, revision: str | None = None) -> Response:
    """Return what the Hub knows about a repository; gating does not hide it."""
    repository = visible(hub, request, kind, name)
    commit = repository.commit_at(revision or "main")
    blobs = request.flag("blobs")
    facts = {
        "_id": commit.oid[:24],
        "id": name,
        "author": repository.owner,
        "sha": commit.oid,
        "createdAt": repository.created,
        "lastModified": commit.date,
        "private": repository.private,
        "gated": repository.gated,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": [],
        "usedStorage": sum(entry.size for entry in commit.files.values()),
        "siblings": [tree.sibling(path, entry, blobs=blobs) for path, entry in sorted(commit.files.items())],
    }
    return respond(facts)


def list_tree(hub: Hub, request: Request, kind: str, name: str, revision: str, path: str | None = None) -> Response:
    """Files and folders, by pages: the next one is in the `Link` header."""
    repository = visible(hub, request, kind, name)
    commit = repository.commit_at(revision)
    items = tree.listing(commit, (path or "").strip("/"), recursive=request.flag("recursive"))
    start = int(request.parameters.get("cursor", ["0"])[0])
    stop = start + min(int(request.parameters.get("limit", ["1000"])[0]), hub.options.page_size)
    headers = {"X-Repo-Commit": commit.oid}
    if stop < len(items):
        query = urlencode({**{key: value[-1] for key, value in request.parameters.items()}, "cursor": stop})
        headers["Link"] = f'<{hub.url}{request.path}?{query}>; rel="next"'
    return respond(_expanded(request.flag("expand"), repository, commit, items[start:stop]), headers=headers)


def paths_info(hub: Hub, request: Request, kind: str, name: str, revision: str) -> Response:
    """Return the named files and folders; those that do not exist are left out."""
    repository = visible(hub, request, kind, name)
    commit = repository.commit_at(revision)
    wanted = request.form
    found = [item for path in wanted.get("paths", []) if (item := tree.describe(commit, path.strip("/")))]
    expand = wanted.get("expand", ["false"])[-1].lower() in ("1", "true")
    return respond(_expanded(expand, repository, commit, found))


def check_auth(hub: Hub, request: Request, kind: str, name: str, write: str | None = None) -> Response:
    """Return whether the user may read (or, asked at /write, change) the files."""
    repository = visible(hub, request, kind, name)
    access.check_readable(repository, request.user)
    if write:
        access.check_role(access.check_writable(repository.owner, request.user))
    return respond({})


def validate_card(_hub: Hub, request: Request) -> Response:
    """Return the Hub's remark on a README without a YAML header; it refuses nothing here."""
    has_header = str(request.json.get("content", "")).lstrip().startswith("---")
    remark = {"message": "empty or missing yaml metadata in repo card"}
    return respond({"errors": [], "warnings": [] if has_header else [remark]})


def _expanded(expand: bool, repository: Repository, commit: Commit, items: list[dict[str, Any]]) -> list[Any]:
    return [tree.with_last_commit(repository, commit, item) for item in items] if expand else items


ROUTES = [
    Route("GET", "/api/whoami-v2", whoami),
    Route("POST", "/api/repos/create", create),
    Route("DELETE", "/api/repos/delete", delete),
    Route("POST", "/api/validate-yaml", validate_card),
    Route("GET", API, info),
    Route("GET", f"{API}/revision/{REVISION}", info),
    Route("PUT", f"{API}/settings", settings),
    Route("GET", f"{API}/tree/{REVISION}(?:/(?P<path>.*))?", list_tree),
    Route("POST", f"{API}/paths-info/{REVISION}", paths_info),
    Route("GET", f"{API}/auth-check(?P<write>/write)?", check_auth),
]
