"""One repository: commits, and the branches, tags and pull requests that point to them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

from tests.local_hub.contents import Entry
from tests.local_hub.errors import HubError, revision_not_found

_PULL = re.compile(r"refs/pr/(\d+)")


def now() -> str:
    """Return the time in the one form that the clients read."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True)
class Commit:
    """A state of all files, with the commit before it."""

    oid: str
    parent: str | None
    title: str
    description: str
    author: str
    date: str
    files: Mapping[str, Entry]


@dataclass
class PullRequest:
    """A proposed change: `head` is the newest commit of refs/pr/`number`."""

    number: int
    title: str
    description: str
    author: str
    base: str
    head: str
    created: str = field(default_factory=now)
    status: str = "open"
    merged: str | None = None


@dataclass
class Repository:
    """A repository of the Hub; `kind` is models, datasets or spaces, `gated` False, auto or manual.

    `allowed` names the users who accepted the terms. `objects` are the digests of LFS files that were
    uploaded to this repository, whether a commit uses them or not.
    """

    kind: str
    name: str
    private: bool = False
    gated: bool | str = False
    allowed: set[str] = field(default_factory=set)
    objects: set[str] = field(default_factory=set)
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    pulls: dict[int, PullRequest] = field(default_factory=dict)
    created: str = field(default_factory=now)

    @property
    def owner(self) -> str:
        """The user or organisation before the slash."""
        return self.name.partition("/")[0]

    def commit_at(self, revision: str) -> Commit:
        """Return the commit which a branch, tag, refs/pr/N, refs/heads/.. or commit id names."""
        short = revision.removeprefix("refs/heads/").removeprefix("refs/tags/")
        oid = self.branches.get(short) or self.tags.get(short)
        if oid is None and (match := _PULL.fullmatch(revision)):
            oid = self.pulls[int(match[1])].head if int(match[1]) in self.pulls else None
        if oid is None and len(revision) >= 7:
            oid = next((known for known in self.commits if known.startswith(revision)), None)
        if oid is None:
            raise revision_not_found(revision)
        return self.commits[oid]

    def add_commit(
        self,
        revision: str,
        files: Mapping[str, Entry],
        title: str,
        *,
        author: str = "",
        description: str = "",
    ) -> Commit:
        """Record a new state of `revision` (a branch or refs/pr/N) and move it there."""
        parent = self.commit_at(revision).oid if self.branches else None
        commit = Commit(self._new_oid(parent, title, files), parent, title, description, author, now(), dict(files))
        self.commits[commit.oid] = commit
        self._move(revision, commit.oid)
        return commit

    def open_pull(self, base: str, title: str, author: str, *, description: str = "", start: str = "") -> PullRequest:
        """Open a pull request on a branch, without changes so far, from `start` (default: the branch's head)."""
        number = len(self.pulls) + 1
        pull = PullRequest(number, title, description, author, base, self.commit_at(start or base).oid)
        self.pulls[number] = pull
        return pull

    def merge(self, number: int) -> Commit:
        """Make the pull request's files those of its base branch; its base must not have moved."""
        pull = self.pulls[number]
        if pull.status != "open":
            raise HubError(409, f"Pull request {number} is {pull.status}")
        theirs, base = self.commits[pull.head], self.commit_at(pull.base)
        if base not in self.history(theirs):
            raise HubError(409, f"Pull request {number} has conflicts with {pull.base}")
        commit = self.add_commit(pull.base, theirs.files, f"{pull.title} (#{number})", author=pull.author)
        pull.status, pull.merged = "merged", commit.oid
        return commit

    def history(self, commit: Commit) -> Iterator[Commit]:
        """Yield the commit and those before it, newest first."""
        oid: str | None = commit.oid
        while oid is not None:
            yield self.commits[oid]
            oid = self.commits[oid].parent

    def _new_oid(self, parent: str | None, title: str, files: Mapping[str, Entry]) -> str:
        listing = [f"{path} {entry.blob}" for path, entry in sorted(files.items())]
        text = "\n".join([self.name, str(parent), str(len(self.commits)), title, *listing])
        return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def _move(self, revision: str, oid: str) -> None:
        if match := _PULL.fullmatch(revision):
            self.pulls[int(match[1])].head = oid
        elif revision in self.branches or not self.branches:
            self.branches[revision] = oid
        else:
            raise revision_not_found(revision)
