"""Serving files: metadata by HEAD, bytes by GET, ranges, and the detour over another origin for LFS."""

from __future__ import annotations

import re
from urllib.parse import quote

from tests.local_hub import access
from tests.local_hub.api import REPO, REVISION, visible
from tests.local_hub.contents import Entry
from tests.local_hub.errors import HubError, entry_not_found
from tests.local_hub.messages import Request, Response, Route
from tests.local_hub.state import Hub

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def resolve(hub: Hub, request: Request, kind: str | None, name: str, revision: str, path: str) -> Response:
    """Return a file at a revision, to those who may read it."""
    repository = visible(hub, request, kind or "models", name)
    access.check_readable(repository, request.user)
    commit = repository.commit_at(revision)
    entry = commit.files.get(path)
    if entry is None:
        raise entry_not_found(path, commit.oid)
    headers = {"X-Repo-Commit": commit.oid, "Accept-Ranges": "bytes", "ETag": f'"{entry.etag}"'}
    if entry.lfs:
        headers |= {"X-Linked-ETag": f'"{entry.sha256}"', "X-Linked-Size": str(entry.size)}
        if hub.options.redirect:
            return Response(302, headers={**headers, "Location": _elsewhere(hub, entry, path)})
    return serve(hub.contents.get(entry.sha256), request, headers)


def stored(hub: Hub, request: Request, sha256: str) -> Response:
    """Return an object by its digest, as the signed addresses behind a redirect give it: no token asked."""
    try:
        content = hub.contents.get(sha256)
    except KeyError:
        raise HubError(404, "No such object") from None
    return serve(content, request, {"Accept-Ranges": "bytes", "ETag": f'"{sha256}"'})


def serve(content: bytes, request: Request, headers: dict[str, str]) -> Response:
    """Return the content, or the one range of it that was asked for; 416 if that lies behind the end."""
    wanted = _RANGE.fullmatch(request.headers.get("Range", ""))
    kind = {"Content-Type": "application/octet-stream"}
    another = request.headers.get("If-Range", headers["ETag"]) != headers["ETag"]  # than the client has a part of
    if wanted is None or wanted[1] == wanted[2] == "" or another:
        return Response(200, content, {**headers, **kind})
    start, stop = _bounds(wanted[1], wanted[2], len(content))
    if start >= stop:
        raise HubError(416, "Range Not Satisfiable", headers={"Content-Range": f"bytes */{len(content)}"})
    where = {"Content-Range": f"bytes {start}-{stop - 1}/{len(content)}"}
    return Response(206, content[start:stop], {**headers, **kind, **where})


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:
        return max(size - int(last), 0), size
    return int(first), min(int(last) + 1, size) if last else size


def _elsewhere(hub: Hub, entry: Entry, path: str) -> str:
    # Another host name is another origin: clients drop the token and keep the first answer's headers.
    name = quote(path.rpartition("/")[2])
    return f"{hub.url.replace('127.0.0.1', 'localhost')}/_cdn/{entry.sha256}?name={name}"


_FILE = f"(?:/(?P<kind>datasets|spaces))?/{REPO}/(?:resolve|raw)/{REVISION}/(?P<path>.+)"
_STORED = "/_cdn/(?P<sha256>[0-9a-f]{64})"

ROUTES = [
    Route(method, pattern, handle)
    for method in ("HEAD", "GET")
    for pattern, handle in ((_FILE, resolve), (_STORED, stored))
]
