"""Finding what would stop a push before the checks of the release, which may take hours."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import huggingface_hub as hub

from fornet_hf.errors import AccessError, ConfigurationError, NotFoundError, explain
from fornet_hf.hub.errors import LOGIN
from fornet_hf.publish.contents import Content
from fornet_hf.publish.target import Target
from fornet_hf.release.verify import CARD

_MAIN = "main"


def find_start(target: Target, given: Mapping[str, Content], *, create: bool) -> str:
    """Return the commit that a push would build on; empty: the repository is yet to be created.

    Args:
        target: where to.
        given: the files to publish that are known so far, by path.
        create: whether a missing repository may be created.

    Raises:
        NotFoundError: no such repository or branch.
        ConfigurationError: the tag is on another commit already.
        AccessError, UnreachableError: the Hub does not answer.
    """
    if target.exists():
        head = target.head()
        target.check_tag(head, there=not (target.tag and target.plan(given, head).uploads))
        return head
    if not create:
        then = (
            "Check the name; a new one is made with --create public or --create private. "
            f"A private repository also looks like this without access. {LOGIN}"
        )
        raise NotFoundError(
            explain("no such repository", found=f"no {target.repo_type} {target.repository}", then=then)
        )
    if target.revision not in (None, _MAIN):
        raise NotFoundError(explain("no such revision in a new repository", found=target.revision, allowed=_MAIN))
    return ""


def check_rights(target: Target, head: str) -> None:
    """Ask the Hub whether the token may publish; nothing is changed.

    Args:
        target: where to.
        head: as `find_start` gives it.

    Raises:
        AccessError: it may not, or there is none.
    """
    if target.api.token is None:
        raise AccessError(explain(f"cannot publish to {target.repository}", found="no token", then=LOGIN))
    if not head:
        _check_namespace(target)
        return

    def ask() -> None:
        # The first step of every upload; for a small text it is the only one, and stores nothing.
        target.api.preupload_lfs_files(
            target.repository,
            [hub.CommitOperationAdd(CARD, b"-")],
            repo_type=target.repo_type,
            revision=target.revision,
            create_pr=target.create_pr,
        )

    target.patience.ask("ask for rights", f"upload to {target.repository}", ask)


def check_output(path: Path) -> None:
    """Refuse a file that cannot be written.

    Raises:
        ConfigurationError: its folder is missing, or the system does not allow it.
    """
    place = path if path.exists() else path.parent
    if path.is_dir() or not path.parent.is_dir() or not os.access(place, os.W_OK):
        allowed = "a file in a folder that exists and may be written to"
        raise ConfigurationError(explain("this file cannot be written", found=path, allowed=allowed))


def _check_namespace(target: Target) -> None:
    namespace = target.repository.split("/")[0]
    who = target.patience.ask("who am I", f"create {target.repository}", target.api.whoami)
    names = [who["name"], *(one["name"] for one in who.get("orgs", ()))]
    role = who.get("auth", {}).get("accessToken", {}).get("role")
    if role == "read" or namespace.lower() not in [name.lower() for name in names]:
        found = f"a token of {who['name']}" + (f" with the role {role}" if role else "")
        allowed = f"the write role in one of {', '.join(names)}"
        raise AccessError(explain(f"you must not create {target.repository}", found=found, allowed=allowed))
