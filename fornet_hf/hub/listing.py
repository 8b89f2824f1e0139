"""Which files a repository has. What the Hub once said of a commit is remembered: it never changes.

A cache may lack files, after an interrupted download say, so what lies in it is no list of what there is.
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
from fornet_hf.hub.transfer import cached_commit, require_answer

_COMMIT = re.compile("[0-9a-f]{40}")


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
    """The files of a dataset repository; what is remembered of the revision if the Hub cannot be asked.

    Raises:
        AccessError, NotFoundError.
        UnreachableError: the Hub cannot be asked, and never was.
    """
    name = revision or "main"
    try:
        commit = _commit(repository, name, token)
    except UnreachableError as error:
        for last in (cached_commit(repository, name), name):
            if last is not None and (listing := _recall(repository, last)) is not None:
                return listing
        raise _unlisted(repository, error) from error
    known = _recall(repository, commit)
    listing = known or _ask(repository, commit, token)
    if known is None:
        _remember(repository, commit, listing)
    if name != commit and _recall(repository, name) != listing:
        _remember(repository, name, listing)
    return listing


def _commit(repository: str, name: str, token: Token) -> str:
    if _COMMIT.fullmatch(name):
        return name
    require_answer(f"the newest commit of {repository}")
    with explained(repository, name, token=token):
        return str(hub.HfApi(token=token).dataset_info(repository, revision=name).sha)


def _ask(repository: str, commit: str, token: Token) -> Listing:
    api = hub.HfApi(token=token)
    try:
        require_answer(f"the list of files of {repository}")
        with explained(repository, commit, token=token):
            tree = [*api.list_repo_tree(repository, recursive=True, revision=commit, repo_type="dataset")]
    except UnreachableError as error:
        raise _unlisted(repository, error) from error
    files = [one for one in tree if isinstance(one, hub.hf_api.RepoFile)]
    return Listing(commit, {one.path: one.lfs.sha256 if one.lfs else one.blob_id for one in files})


def _unlisted(repository: str, error: UnreachableError) -> UnreachableError:
    then = "Load it once with the network, or give the folder of a complete download (patches=, imagenet_dir=)."
    what = f"the list of files of {repository} is not in the cache, and the Hub cannot be asked for it"
    return UnreachableError(explain(what, found=error, then=then))


def _place(repository: str, name: str) -> Path:
    """Where a list is kept, by commit and by the branch or tag which last was that commit."""
    folder = hub.cached_assets_path("fornet", repository, "listings", assets_dir=hub.constants.HF_ASSETS_CACHE)
    return folder / f"{quote(name, safe='')}.json"


def _recall(repository: str, name: str) -> Listing | None:
    try:
        return Listing(**json.loads(_place(repository, name).read_bytes()))
    except (OSError, ValueError, TypeError):  # never had, or damaged
        return None


def _remember(repository: str, name: str, listing: Listing) -> None:
    with contextlib.suppress(OSError, ValueError):  # a cache that cannot be written: the Hub will be asked again
        write_text(_place(repository, name), json.dumps(asdict(listing)))
