"""Bringing back what a tag holds: a new commit with its files, so that the history and all other tags stay."""

from __future__ import annotations

from dataclasses import dataclass

import huggingface_hub as hub

from fornet_hf.errors import ConflictError, explain
from fornet_hf.hub.listing import FileFacts
from fornet_hf.publish.plan import Plan
from fornet_hf.publish.push import Pushed, land
from fornet_hf.publish.target import Target


@dataclass(frozen=True, kw_only=True)
class Return:
    """The way back to a tag.

    Attributes:
        commit: of the tag.
        files: that it holds, by path.
        plan: of these files at the head of the branch.
    """

    commit: str
    files: dict[str, FileFacts]
    plan: Plan


def find_return(target: Target, tag: str) -> Return:
    """Return what is to do so that the branch holds the files of a tag again.

    Raises:
        NotFoundError: no such repository, branch or tag.
        AccessError, UnreachableError: the Hub does not answer.
    """
    commit, head = target.tagged(tag), target.head()
    files = target.files(commit)
    return Return(commit=commit, files=files, plan=target.plan_return(files, head))


def restore(target: Target, way: Return) -> Pushed:
    """Commit the files of a tag anew, and look whether they are there.

    Nothing is uploaded that the Hub keeps in large storage: the commit names it by its digest. The client reads
    small files at the tag and sends them as a part of the commit.

    Raises:
        ConflictError: the branch moved meanwhile; or the new commit does not hold the files of the tag.
        ForNetError: as `push`.
    """

    def holds(head: str) -> bool:
        return target.plan_return(way.files, head).is_empty

    def copies() -> list[hub.CommitOperationCopy]:
        return [hub.CommitOperationCopy(path, path, src_revision=way.commit) for path in way.plan.uploads]

    done = land(target, way.plan, copies, holds)
    if not holds(done.commit):
        found, then = f"other files on commit {done.commit}", "Run the same command again, and look at its plan."
        raise ConflictError(explain(f"{target.repository}: the tag is not restored", found=found, then=then))
    return done
