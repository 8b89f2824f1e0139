"""Uploads that the Hub refuses, sent without a client that would be too polite to try."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable

import pytest

from tests.local_hub.attributes import DEFAULT, REGULAR_LIMIT, stored_by_lfs
from tests.local_hub.client import Answer, send
from tests.local_hub.state import Hub, Options

NAME = "TNauen/ForNet"
CONTENT = b"PK shard"
OID = hashlib.sha256(CONTENT).hexdigest()
Post = Callable[[str, dict[str, object]], Answer]


@pytest.fixture
def post(hub: Hub) -> Post:
    """Posts JSON as the owner of an empty repository."""
    hub.create_repo(NAME)
    login = {"Authorization": f"Bearer {hub.add_user('TNauen')}"}
    return lambda path, value: send("POST", hub.url + path, json.dumps(value).encode(), login)


def announce(post: Post) -> dict[str, object]:
    """Ask where to upload CONTENT to."""
    wanted = {"operation": "upload", "objects": [{"oid": OID, "size": len(CONTENT)}]}
    answer = json.loads(post(f"/datasets/{NAME}.git/info/lfs/objects/batch", wanted).body)
    return answer["objects"][0]["actions"]["upload"]


def commit(hub: Hub, operation: dict[str, object]) -> Answer:
    """Commit one operation."""
    login = {"Authorization": f"Bearer {hub.add_user('TNauen')}"}
    lines = [{"key": "header", "value": {"summary": "Change"}}, operation]
    body = "\n".join(json.dumps(line) for line in lines).encode()
    return send("POST", f"{hub.url}/api/datasets/{NAME}/commit/main", body, login)


def test_an_object_must_have_the_announced_digest(hub: Hub, post: Post) -> None:
    url = announce(post)["href"]
    assert send("PUT", url, b"PK other").status == 400
    assert hub.uploads == []
    assert send("PUT", url, CONTENT).status == 200
    assert [item.sha256 for item in hub.uploads] == [OID]


def test_an_object_must_be_announced(hub: Hub, post: Post) -> None:
    assert send("PUT", f"{hub.url}/_lfs/datasets/{NAME}/{OID}", CONTENT).status == 403


def test_parts_are_joined_only_if_they_are_those_that_came(hub: Hub, post: Post) -> None:
    hub.options = Options(part_size=5)
    upload = announce(post)
    header = upload["header"]
    assert header["chunk_size"] == "5"
    etags = [send("PUT", header[n], part).headers["ETag"] for n, part in (("1", CONTENT[:5]), ("2", CONTENT[5:]))]
    parts = [{"partNumber": number, "etag": etag} for number, etag in enumerate(etags, start=1)]
    wrong = [parts[0], {**parts[1], "etag": parts[0]["etag"]}]
    path = upload["href"].removeprefix(hub.url)
    assert post(path, {"oid": OID, "parts": wrong}).status == 400
    assert post(path, {"oid": OID, "parts": parts[:1]}).status == 400
    assert post(path, {"oid": OID, "parts": parts}).status == 200
    assert hub.contents.get(OID) == CONTENT


def test_a_commit_names_only_objects_that_are_there(hub: Hub, post: Post) -> None:
    value = {"path": "a.zip", "algo": "sha256", "oid": OID, "size": len(CONTENT)}
    refused = commit(hub, {"key": "lfsFile", "value": value})
    assert (refused.status, b"does not exist" in refused.body) == (400, True)
    send("PUT", announce(post)["href"], CONTENT)
    assert commit(hub, {"key": "lfsFile", "value": value}).status == 200
    assert hub.files(NAME) == {"a.zip": CONTENT}


def test_a_commit_holds_no_large_file(hub: Hub, post: Post) -> None:
    content = base64.b64encode(bytes(REGULAR_LIMIT + 1)).decode()
    assert commit(hub, {"key": "file", "value": {"path": "a.txt", "content": content}}).status == 400
    assert hub.files(NAME) == {}


def test_a_commit_that_is_no_json_is_refused(hub: Hub, post: Post) -> None:
    login = {"Authorization": f"Bearer {hub.add_user('TNauen')}"}
    answer = send("POST", f"{hub.url}/api/datasets/{NAME}/commit/main", b"not json", login)
    assert (answer.status, b"Malformed" in answer.body) == (400, True)


@pytest.mark.parametrize(
    ("path", "size", "sample", "wanted"),
    [
        ("README.md", 100, b"text", False),
        ("patches/manifest.json", 100, b"{}", False),
        ("patches/0.parquet", 100, b"PAR1", True),
        ("notes.txt", REGULAR_LIMIT, b"text", False),
        ("notes.txt", REGULAR_LIMIT + 1, b"text", True),
        ("object.dat", 100, b"a\0b", True),
        ("empty.parquet", 0, b"", False),
    ],
)
def test_files_go_by_lfs_if_named_large_or_binary(path: str, size: int, sample: bytes, wanted: bool) -> None:
    assert stored_by_lfs(path, size, sample, DEFAULT) is wanted
