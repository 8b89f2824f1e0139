"""The contents of a revision, as the lists of files and folders that the clients read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from tests.local_hub.contents import Entry, lfs_pointer
from tests.local_hub.errors import entry_not_found
from tests.local_hub.repository import Commit, Repository


def listing(commit: Commit, folder: str, *, recursive: bool) -> list[dict[str, Any]]:
    """Files and folders under `folder` (empty: the top), by path; EntryNotFound if it does not exist."""
    prefix = f"{folder}/" if folder else ""
    inside = {path: entry for path, entry in commit.files.items() if path.startswith(prefix)}
    if folder and not inside:
        raise entry_not_found(folder, commit.oid)
    paths = set(inside) | _folders(inside, prefix)
    wanted = [path for path in sorted(paths) if recursive or "/" not in path.removeprefix(prefix)]
    return [item for path in wanted if (item := describe(commit, path))]


def describe(commit: Commit, path: str) -> dict[str, Any] | None:
    """Return the file or folder at this path, None if there is neither."""
    entry = commit.files.get(path)
    if entry is not None:
        return {"type": "file", "path": path, "oid": entry.blob, "size": entry.size, **_lfs(entry, "oid")}
    inside = {name: entry for name, entry in commit.files.items() if name.startswith(f"{path}/")}
    return {"type": "directory", "path": path, "oid": _folder_id(inside), "size": 0} if inside else None


def sibling(path: str, entry: Entry, *, blobs: bool) -> dict[str, Any]:
    """Return a file as the information about a repository names it."""
    if not blobs:
        return {"rfilename": path}
    return {"rfilename": path, "size": entry.size, "blobId": entry.blob, **_lfs(entry, "sha256")}


def with_last_commit(repository: Repository, commit: Commit, item: dict[str, Any]) -> dict[str, Any]:
    """Return the item with the commit that last changed it; no security scan has been made."""
    last = commit
    for older in repository.history(commit):
        if describe(older, item["path"]) != item:
            break
        last = older
    details = {"id": last.oid, "title": last.title, "date": last.date}
    return {**item, "lastCommit": details, "securityFileStatus": None}


def _lfs(entry: Entry, digest_name: str) -> dict[str, Any]:
    if not entry.lfs:
        return {}
    pointer = len(lfs_pointer(entry.sha256, entry.size))
    return {"lfs": {digest_name: entry.sha256, "size": entry.size, "pointerSize": pointer}}


def _folders(paths: Mapping[str, Entry], prefix: str) -> set[str]:
    parts = [path.removeprefix(prefix).split("/") for path in paths]
    return {prefix + "/".join(p[:depth]) for p in parts for depth in range(1, len(p))}


def _folder_id(files: Mapping[str, Entry]) -> str:
    text = "\n".join(f"{path} {entry.blob}" for path, entry in sorted(files.items()))
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
