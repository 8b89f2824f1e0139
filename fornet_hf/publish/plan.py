"""The plan of a push: what is to be published, or an earlier state, compared with what the repository holds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fornet_hf.files import git_blob_id, readable_bytes, sha256_of
from fornet_hf.hub.listing import FileFacts
from fornet_hf.publish.contents import Content, superseded


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The changes that one commit makes; each part maps paths to bytes.

    Attributes:
        head: the commit that it builds on.
        new: files which the repository does not have.
        changed: files which it has with other content.
        unchanged: files which it has as they are.
        deleted: files which it does away with.
    """

    head: str
    new: Mapping[str, int]
    changed: Mapping[str, int]
    unchanged: Mapping[str, int]
    deleted: Mapping[str, int]

    @property
    def is_empty(self) -> bool:
        """True if the repository holds all of it already, and no more."""
        return not (self.new or self.changed or self.deleted)

    @property
    def uploads(self) -> list[str]:
        """The paths to upload, sorted."""
        return sorted([*self.new, *self.changed])

    def lines(self) -> list[str]:
        """Return the plan for people: every change, and the sums."""
        parts = {"new": self.new, "changed": self.changed, "deleted": self.deleted}
        lines = [f"{verb:9} {size:>14,}  {path}" for verb, one in parts.items() for path, size in sorted(one.items())]
        for verb, one in {**parts, "unchanged": self.unchanged}.items():
            lines.append(f"{verb:9} {len(one):>6,} files  {readable_bytes(sum(one.values()))}")
        return lines


def local_digest(content: Content, remote: str) -> str:
    """Return the digest of a local file of the kind of `remote`: SHA-256, or git blob id (40 digits)."""
    if len(remote) == 40:
        return git_blob_id(content if isinstance(content, bytes) else content.read_bytes())
    return hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else sha256_of(content)


def size_of(content: Content) -> int:
    """Return the bytes of a local file."""
    return len(content) if isinstance(content, bytes) else Path(content).stat().st_size


def make_plan(
    head: str,
    wanted: Mapping[str, Content],
    remote: Mapping[str, FileFacts],
    *,
    known: Mapping[str, str] | None = None,
    remove: Sequence[str] = (),
) -> Plan:
    """Compare by size, then by digest.

    Args:
        head: the commit at which `remote` was read.
        wanted: the files to publish, by path.
        remote: the files in the repository.
        known: SHA-256 of files to publish, where it is known already.
        remove: patterns of files to delete.
    """
    sizes = {path: size_of(content) for path, content in wanted.items()}
    verdicts = {path: _compare(path, content, remote.get(path), known or {}) for path, content in wanted.items()}
    return _sorted_out(head, sizes, verdicts, remote, remove)


def plan_return(
    head: str, past: Mapping[str, FileFacts], remote: Mapping[str, FileFacts], *, remove: Sequence[str] = ()
) -> Plan:
    """Compare an earlier state of a repository with the newest one.

    Args:
        head: the commit at which `remote` was read.
        past: the files that shall be there again.
        remote: the files that are there.
        remove: patterns of files to delete.
    """
    sizes = {path: facts.size for path, facts in past.items()}
    verdicts = {path: _verdict(remote.get(path), facts) for path, facts in past.items()}
    return _sorted_out(head, sizes, verdicts, remote, remove)


def _sorted_out(
    head: str,
    sizes: Mapping[str, int],
    verdicts: Mapping[str, str],
    remote: Mapping[str, FileFacts],
    remove: Sequence[str],
) -> Plan:
    new, changed, unchanged = (
        {path: sizes[path] for path, one in verdicts.items() if one == verdict}
        for verdict in ("new", "changed", "unchanged")
    )
    gone = {path: remote[path].size for path in superseded(list(remote), sizes, remove)}
    return Plan(head=head, new=new, changed=changed, unchanged=unchanged, deleted=gone)


def _verdict(there: FileFacts | None, wanted: FileFacts) -> str:
    return "new" if there is None else "unchanged" if there == wanted else "changed"


def _compare(path: str, content: Content, there: FileFacts | None, known: Mapping[str, str]) -> str:
    if there is None:
        return "new"
    if there.size != size_of(content):
        return "changed"
    sha256 = known.get(path) if len(there.digest) == 64 else None
    return "unchanged" if (sha256 or local_digest(content, there.digest)) == there.digest else "changed"
