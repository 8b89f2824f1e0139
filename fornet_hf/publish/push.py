"""Bringing files to the Hub: first what is large, then one commit that makes all of it visible at once."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import huggingface_hub as hub

from fornet_hf.errors import ConflictError, explain
from fornet_hf.hub.errors import is_transient, status_of
from fornet_hf.publish.contents import Content
from fornet_hf.publish.plan import Plan
from fornet_hf.publish.target import Target

Addition = hub.CommitOperationAdd | hub.CommitOperationCopy

_GROUP = 32  # files uploaded between two lines of progress, and again after a failure
_STALE = 412


@dataclass(frozen=True)
class Pushed:
    """The outcome of a push: the commit which holds everything, and the pull request, if one was asked for."""

    commit: str
    pull_request: str | None = None
    was_there: bool = False


def push(target: Target, files: Mapping[str, Content], plan: Plan) -> Pushed:
    """Upload what a plan names, commit it as one, and tag the commit.

    What was uploaded before an interruption is on the Hub already and not sent again. Readers see what was there
    before until the commit, and all of the new files from then on.

    Args:
        target: where to.
        files: what is published, by path.
        plan: of these files at the head of the branch.

    Raises:
        ConfigurationError: the tag is on another commit already.
        ConflictError: the branch moved since the plan was made, and does not hold these files.
        AccessError: the Hub refuses.
        UnreachableError: it fails, or cannot be reached, after all attempts.
    """
    return land(
        target, plan, lambda: _upload(target, files, plan.uploads), lambda head: target.plan(files, head).is_empty
    )


def land(
    target: Target, plan: Plan, additions: Callable[[], Sequence[Addition]], holds: Callable[[str], bool]
) -> Pushed:
    """Commit what a plan says as one, and tag the commit; nothing is committed twice.

    Args:
        target: where to.
        plan: at the head of the branch.
        additions: makes the operations that add or change files.
        holds: tells of a commit whether it holds everything already.

    Raises:
        ForNetError: as `push`.
    """
    target.check_tag(plan.head, there=plan.is_empty)
    if plan.is_empty:
        done = Pushed(plan.head, was_there=True)
    else:
        done = (_find_pull(target, holds) if target.create_pr else None) or _commit(target, plan, additions(), holds)
    target.set_tag(done.commit)
    return done


def _commit(target: Target, plan: Plan, additions: Sequence[Addition], holds: Callable[[str], bool]) -> Pushed:
    deletions = [hub.CommitOperationDelete(path, is_folder=False) for path in sorted(plan.deleted)]

    def attempt() -> Pushed:
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "It seems that you are about to commit a data file", UserWarning)
                info = target.api.create_commit(
                    target.repository,
                    [*additions, *deletions],
                    commit_message=target.message,
                    revision=target.revision,
                    repo_type=target.repo_type,
                    create_pr=target.create_pr,
                    parent_commit=plan.head,
                )
        except Exception as error:
            if not is_transient(error) and status_of(error) != _STALE:
                raise
            # The commit may be made though its answer is lost or unreadable, or another run of this has made it.
            landed = _find_pull(target, holds) if target.create_pr else _find_commit(target, plan, holds)
            if landed is None:
                raise
            return landed
        return Pushed(info.oid, info.pr_url)

    target.say(f"committing {len(additions)} files, deleting {len(deletions)}")
    return target.patience.ask("commit", f"commit to {target.repository}", attempt)


def _upload(target: Target, files: Mapping[str, Content], paths: Sequence[str]) -> list[hub.CommitOperationAdd]:
    """Send the files which the Hub keeps in large storage; those that are there already are skipped by it."""
    additions: list[hub.CommitOperationAdd] = []
    for start in range(0, len(paths), _GROUP):
        group = [hub.CommitOperationAdd(path, files[path]) for path in paths[start : start + _GROUP]]

        def send(group: list[hub.CommitOperationAdd] = group) -> None:
            target.api.preupload_lfs_files(
                target.repository,
                group,
                repo_type=target.repo_type,
                revision=target.revision,
                create_pr=target.create_pr,
                free_memory=False,
            )

        target.patience.ask("upload", f"upload to {target.repository}", send)
        additions.extend(group)
        target.say(f"uploaded {len(additions)} of {len(paths)} files")
    return additions


def _find_commit(target: Target, plan: Plan, holds: Callable[[str], bool]) -> Pushed | None:
    """Return the head of the branch if it holds everything, None if the branch did not move.

    Raises:
        ConflictError: it moved to something else.
    """
    head = target.head()
    if head == plan.head:
        return None
    if holds(head):
        return Pushed(head)
    branch = target.revision or "main"
    raise ConflictError(
        explain(
            f"{target.repository}: somebody else changed {branch} meanwhile, so nothing was committed",
            found=f"commit {head}",
            allowed=f"commit {plan.head}, which this push builds on",
            then="Look at that commit, then run the same command again: uploaded files are not sent twice.",
        )
    )


def _find_pull(target: Target, holds: Callable[[str], bool]) -> Pushed | None:
    """Return an open pull request of this title which holds everything already."""
    api, repository = target.api, target.repository

    def titled() -> list[int]:
        found = api.get_repo_discussions(repository, repo_type=target.repo_type)
        ours = (one for one in found if one.is_pull_request and one.status == "open" and one.title == target.message)
        return [one.num for one in ours]

    numbers = target.patience.ask("list pull requests", f"list the pull requests of {repository}", titled)
    for number in numbers:
        head = target.commit_of(f"refs/pr/{number}")
        if holds(head):
            return Pushed(head, target.page(number), was_there=True)
    return None
