"""The files of a repository at a revision: asked of the Hub, and by those who load also remembered.

What the Hub once said of a commit never changes. A cache may lack files, after an interrupted download say, so what
lies in it is no list of what there is.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

import huggingface_hub as hub

from fornet_hf.errors import UnreachableError, explain
from fornet_hf.files import write_text
from fornet_hf.hub.errors import Token, explained
from fornet_hf.hub.retry import Patience, require_answer
from fornet_hf.hub.transfer import cached_commit


@dataclass(frozen=True)
class FileFacts:
    """A file: size in bytes, and its SHA-256 (64 hex digits), or where it has none its git blob id (40)."""

    size: int
    digest: str


def head_of(
    api: hub.HfApi, repository: str, revision: str | None, patience: Patience, repo_type: str = "dataset"
) -> str:
    """Return the full id of the commit which a revision names; default: the head of main."""
    tried = f"read {repository}" + (f" at {revision}" if revision else "")
    return patience.ask("find the head", tried, lambda: _commit(api, repository, revision, repo_type))


def remote_files(
    api: hub.HfApi, repository: str, revision: str, patience: Patience, repo_type: str = "dataset"
) -> dict[str, FileFacts]:
    """Return all files of a repository at a revision, by path."""
    tried = f"list the files of {repository}"
    return patience.ask("list files", tried, lambda: _tree(api, repository, revision, repo_type))


def _commit(api: hub.HfApi, repository: str, revision: str | None, repo_type: str = "dataset") -> str:
    return str(api.repo_info(repository, revision=revision, repo_type=repo_type).sha)


def _tree(api: hub.HfApi, repository: str, revision: str, repo_type: str = "dataset") -> dict[str, FileFacts]:
    tree = api.list_repo_tree(repository, recursive=True, revision=revision, repo_type=repo_type)
    files = (one for one in tree if isinstance(one, hub.hf_api.RepoFile))
    return {one.path: FileFacts(one.size, one.lfs.sha256 if one.lfs else one.blob_id) for one in files}


@dataclass(frozen=True)
class Listing:
    """All files of one commit.

    Attributes:
        commit: 40 hexadecimal digits; None of a folder.
        files: for each path something that differs if the content does: what the Hub stores the file by (SHA-256, or
            the blob of Git for small files), the size in a folder.
    """

    commit: str | None
    files: Mapping[str, str]


def list_files(repository: str, revision: str | None = None, token: Token = None) -> Listing:
    """Return the files of a dataset repository; what is remembered of the revision if the Hub cannot be asked.

    Raises:
        AccessError, NotFoundError.
        UnreachableError: the Hub cannot be asked, and never was.
    """
    name, api = revision or "main", hub.HfApi(token=token)
    try:
        commit = _newest(api, repository, name, token)
    except UnreachableError as error:
        for last in (cached_commit(repository, name), name):
            if last is not None and (listing := _recall(repository, last)) is not None:
                return listing
        raise _unlisted(repository, error) from error
    known = _recall(repository, commit)
    listing = known or _ask(api, repository, commit, token)
    if known is None:
        _remember(repository, commit, listing)
    if name != commit and _recall(repository, name) != listing:
        _remember(repository, name, listing)
    return listing


def _newest(api: hub.HfApi, repository: str, name: str, token: Token) -> str:
    if re.fullmatch("[0-9a-f]{40}", name):
        return name
    require_answer(f"the newest commit of {repository}")
    with explained(repository, name, token=token):
        return _commit(api, repository, name)


def _ask(api: hub.HfApi, repository: str, commit: str, token: Token) -> Listing:
    try:
        require_answer(f"the list of files of {repository}")
        with explained(repository, commit, token=token):
            files = _tree(api, repository, commit)
    except UnreachableError as error:
        raise _unlisted(repository, error) from error
    return Listing(commit, {path: facts.digest for path, facts in files.items()})


def _unlisted(repository: str, error: UnreachableError) -> UnreachableError:
    then = "Load it once with the network, or give the folder of a complete download (patches=, imagenet_dir=)."
    what = f"the list of files of {repository} is not in the cache, and the Hub cannot be asked for it"
    return UnreachableError(explain(what, found=error, then=then))


def _kept(repository: str, name: str) -> Path:
    """Return the file of a list, which is kept by commit and by the branch or tag which last was that commit."""
    folder = hub.cached_assets_path("fornet", repository, "listings", assets_dir=hub.constants.HF_ASSETS_CACHE)
    return folder / f"{quote(name, safe='')}.json"


def _recall(repository: str, name: str) -> Listing | None:
    try:
        return Listing(**json.loads(_kept(repository, name).read_bytes()))
    except (OSError, ValueError, TypeError):  # never had, or damaged
        return None


def _remember(repository: str, name: str, listing: Listing) -> None:
    with contextlib.suppress(OSError, ValueError):  # a cache that cannot be written: the Hub will be asked again
        write_text(_kept(repository, name), json.dumps(asdict(listing)))
