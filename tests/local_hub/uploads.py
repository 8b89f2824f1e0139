"""LFS: which objects a repository lacks, and taking them, whole or in parts."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from math import ceil
from typing import Any

from tests.local_hub import access
from tests.local_hub.api import API, KIND, REPO, REVISION, visible
from tests.local_hub.attributes import stored_by_lfs
from tests.local_hub.contents import git_blob
from tests.local_hub.errors import HubError
from tests.local_hub.messages import Request, Response, Route, respond
from tests.local_hub.repository import Repository
from tests.local_hub.state import Hub, Upload

OID = "(?P<oid>[0-9a-f]{64})"
LFS = f"/_lfs/{KIND}/{REPO}/{OID}"


def preupload(hub: Hub, request: Request, kind: str, name: str, revision: str) -> Response:
    """For each file whether it goes by LFS or into the commit, and the id of what is there now."""
    repository = visible(hub, request, kind, name)
    access.check_role(request.user)  # not ownership: anyone may offer objects for a pull request
    commit, rules = repository.commit_at(revision), hub.attributes_of(repository, revision)
    answers = []
    for file in request.json["files"]:
        path, entry = file["path"], commit.files.get(file["path"])
        lfs = stored_by_lfs(path, file["size"], b64decode(file.get("sample", "")), rules)
        answer = {"path": path, "uploadMode": "lfs" if lfs else "regular", "shouldIgnore": False}
        answers.append(answer if entry is None else {**answer, "oid": entry.etag})
    return respond({"files": answers, "commitOid": commit.oid})


def batch(hub: Hub, request: Request, kind: str | None, name: str) -> Response:
    """Tell where to send each object; those which the repository has get no address."""
    repository = visible(hub, request, kind or "models", name)
    access.check_role(request.user)  # not ownership: anyone may offer objects for a pull request
    objects = [_instruct(hub, repository, item) for item in request.json["objects"]]
    split = any("chunk_size" in _header(item) for item in objects)
    return respond({"transfer": "multipart" if split else "basic", "objects": objects})


def receive(hub: Hub, request: Request, kind: str, name: str, oid: str) -> Response:
    """Take a whole object; 400 if its bytes do not have the digest in the address."""
    _check_expected(hub, kind, name, oid)
    return _store(hub, hub.repo(name, kind), oid, request.body, parts=1)


def receive_part(hub: Hub, request: Request, kind: str, name: str, oid: str, part: str) -> Response:
    """Take one part of an object, numbered from 1."""
    _check_expected(hub, kind, name, oid)
    hub.parts[oid, int(part)] = request.body
    return Response(200, headers={"ETag": f'"{git_blob(request.body)}"'})


def complete(hub: Hub, request: Request, kind: str, name: str, oid: str) -> Response:
    """Join the parts, whose ETags must be those that were given out."""
    _check_expected(hub, kind, name, oid)
    named = sorted(request.json["parts"], key=lambda part: part["partNumber"])
    pieces = [hub.parts.get((oid, part["partNumber"])) for part in named]
    if any(
        data is None or part["etag"].strip('"') != git_blob(data) for part, data in zip(named, pieces, strict=True)
    ):
        raise HubError(400, "A part is missing or has another ETag")
    body = b"".join(piece for piece in pieces if piece is not None)
    return _store(hub, hub.repo(name, kind), oid, body, parts=len(named))


def _instruct(hub: Hub, repository: Repository, item: dict[str, Any]) -> dict[str, Any]:
    oid, size = item["oid"], item["size"]
    if oid in repository.objects:
        return {"oid": oid, "size": size}
    hub.expected.add((repository.kind, repository.name, oid))
    href = f"{hub.url}/_lfs/{repository.kind}/{repository.name}/{oid}"
    chunk = hub.options.part_size
    if chunk is None or size <= chunk:
        return {"oid": oid, "size": size, "authenticated": True, "actions": {"upload": {"href": href}}}
    header = {"chunk_size": str(chunk)}
    header |= {str(number): f"{href}/{number}" for number in range(1, ceil(size / chunk) + 1)}
    upload = {"href": f"{href}/complete", "header": header}
    return {"oid": oid, "size": size, "authenticated": True, "actions": {"upload": upload}}


def _header(item: dict[str, Any]) -> dict[str, str]:
    header: dict[str, str] = item.get("actions", {}).get("upload", {}).get("header", {})
    return header


def _store(hub: Hub, repository: Repository, oid: str, body: bytes, *, parts: int) -> Response:
    found = hashlib.sha256(body).hexdigest()
    if found != oid:
        raise HubError(400, f"Expected an object with SHA-256 {oid}, received {len(body)} bytes with {found}")
    hub.contents.put(body)
    repository.objects.add(oid)
    hub.uploads.append(Upload(repository.name, oid, len(body), parts))
    for key in [key for key in hub.parts if key[0] == oid]:
        del hub.parts[key]
    return Response()


def _check_expected(hub: Hub, kind: str, name: str, oid: str) -> None:
    if (kind, name, oid) not in hub.expected:
        raise HubError(403, "This object was not announced")


ROUTES = [
    Route("POST", f"{API}/preupload/{REVISION}", preupload),
    Route("POST", f"(?:/(?P<kind>datasets|spaces))?/{REPO}\\.git/info/lfs/objects/batch", batch),
    Route("PUT", LFS, receive),
    Route("PUT", rf"{LFS}/(?P<part>\d+)", receive_part),
    Route("POST", f"{LFS}/complete", complete),
]
