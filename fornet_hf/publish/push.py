"""Bringing a release to the Hub: files first, then one commit that makes all of it visible at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fornet_hf.errors import ConfigurationError, ConflictError, ForNetError, explain
from fornet_hf.publish.contents import Content
from fornet_hf.publish.failures import hub_errors, status_of
from fornet_hf.publish.patience import Patience, is_transient
from fornet_hf.publish.places import FileFacts, digest_of, head_of, remote_files
from fornet_hf.publish.plan import Plan, make_plan

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, HfApi

_GROUP = 32  # files uploaded between two lines of progress, and again after a failure
_STALE = 412


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a release goes, and how.

    Attributes:
        api: the client, with its token.
        repository: `namespace/name` of a dataset.
        revision: a branch; None: main.
        create_pr: open a pull request instead of changing the branch.
        tag: name for the new commit.
        message: of the commit, and title of the pull request.
        remove: patterns of further files to delete.
        patience: for requests that fail.
        say: gets a line of progress.
    """

    api: HfApi
    repository: str
    revision: str | None = None
    create_pr: bool = False
    tag: str | None = None
    message: str = "New release"
    remove: Sequence[str] = ()
    patience: Patience = field(default_factory=Patience)
    say: Callable[[str], None] = lambda _: None

    def __post_init__(self) -> None:
        if self.create_pr and self.tag:
            found = f"--create-pr and --tag {self.tag}"
            then = "Tag the commit when the pull request is merged."
            raise ConfigurationError(
                explain("a tag for a pull request", found=found, allowed="one of both", then=then)
            )
        if not self.message.strip():
            raise ConfigurationError(explain("the commit's message", found="none", allowed="some text"))

    def head(self) -> str:
        """The newest commit of the branch."""
        return head_of(self.api, self.repository, self.revision, self.patience)

    def plan(self, files: Mapping[str, Content], head: str, known: Mapping[str, str] | None = None) -> Plan:
        """What is to do at a commit."""
        remote = remote_files(self.api, self.repository, head, self.patience)
        facts = {path: FileFacts(file.size, digest_of(file)) for path, file in remote.items()}
        return make_plan(head, files, facts, known=known, remove=self.remove)


@dataclass(frozen=True)
class Pushed:
    """What a push came to: the commit which holds the release, and the pull request, if one was asked for."""

    commit: str
    pull_request: str | None = None
    was_there: bool = False


def push(target: Target, files: Mapping[str, Content], plan: Plan) -> Pushed:
    """Upload what a plan names, commit it as one, and tag the commit.

    What was uploaded before an interruption is on the Hub already and not sent again. Readers see the release
    that was there before until the commit, and all of the new one from then on.

    Args:
        target: where to.
        files: the release, by path.
        plan: of these files at the head of the branch.

    Raises:
        ConflictError: the branch moved since the plan was made, and does not hold this release.
        AccessError: the Hub refuses.
        UnreachableError: it fails, or cannot be reached, after all attempts.
    """
    _check_tag(target, plan)
    if plan.is_empty:
        done = Pushed(plan.head, was_there=True)
    else:
        done = (_find_pull(target, files) if target.create_pr else None) or _commit(target, files, plan)
    if target.tag:
        _tag(target, target.tag, done.commit)
    return done


def _commit(target: Target, files: Mapping[str, Content], plan: Plan) -> Pushed:
    from huggingface_hub import CommitOperationDelete

    additions = _upload(target, files, plan.uploads)
    deletions = [CommitOperationDelete(path, is_folder=False) for path in sorted(plan.deleted)]

    def attempt() -> Pushed:
        try:
            info = target.api.create_commit(
                target.repository,
                [*additions, *deletions],
                commit_message=target.message,
                revision=target.revision,
                repo_type="dataset",
                create_pr=target.create_pr,
                parent_commit=plan.head,
            )
        except Exception as error:
            if not is_transient(error) and status_of(error) != _STALE:
                raise
            # The answer may be lost though the commit was made, or may have been made by another run of this.
            landed = _find_pull(target, files) if target.create_pr else _find_commit(target, files, plan)
            if landed is None:
                raise
            return landed
        return Pushed(info.oid, info.pr_url)

    target.say(f"committing {len(additions)} files, deleting {len(deletions)}")
    with hub_errors(f"commit to {target.repository}"):
        return target.patience("commit", attempt)


def _upload(target: Target, files: Mapping[str, Content], paths: Sequence[str]) -> list[CommitOperationAdd]:
    """Send the files which the Hub keeps in large storage; those that are there already are skipped by it."""
    from huggingface_hub import CommitOperationAdd

    additions: list[CommitOperationAdd] = []
    for start in range(0, len(paths), _GROUP):
        group = [CommitOperationAdd(path, files[path]) for path in paths[start : start + _GROUP]]

        def send(group: list[CommitOperationAdd] = group) -> None:
            target.api.preupload_lfs_files(
                target.repository,
                group,
                repo_type="dataset",
                revision=target.revision,
                create_pr=target.create_pr,
                free_memory=False,
            )

        with hub_errors(f"upload to {target.repository}"):
            target.patience("upload", send)
        additions.extend(group)
        target.say(f"uploaded {len(additions)} of {len(paths)} files")
    return additions


def _find_commit(target: Target, files: Mapping[str, Content], plan: Plan) -> Pushed | None:
    """The head of the branch, if it holds the release; None if the branch did not move.

    Raises:
        ConflictError: it moved to something else.
    """
    head = target.head()
    if head == plan.head:
        return None
    if target.plan(files, head).is_empty:
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


def _find_pull(target: Target, files: Mapping[str, Content]) -> Pushed | None:
    """An open pull request of this title which holds the release already."""
    api, repository = target.api, target.repository

    def titled() -> list[int]:
        found = api.get_repo_discussions(repository, repo_type="dataset")
        ours = (one for one in found if one.is_pull_request and one.status == "open" and one.title == target.message)
        return [one.num for one in ours]

    with hub_errors(f"list the pull requests of {repository}"):
        numbers = target.patience("list pull requests", titled)
    for number in numbers:
        head = head_of(api, repository, f"refs/pr/{number}", target.patience)
        if target.plan(files, head).is_empty:
            return Pushed(head, f"{api.endpoint}/datasets/{repository}/discussions/{number}", was_there=True)
    return None


def _check_tag(target: Target, plan: Plan) -> None:
    """A tag which is there must be on the commit that holds this release already."""
    if not target.tag:
        return
    at = _tags(target).get(target.tag)
    if at is not None and not (plan.is_empty and at == plan.head):
        then = "Choose another name; a tag that people use should not move."
        raise ConfigurationError(
            explain(f"the tag {target.tag} is there already", found=f"on commit {at}", then=then)
        )


def _tag(target: Target, tag: str, commit: str) -> None:
    if _tags(target).get(tag) == commit:
        return

    def create() -> None:
        target.api.create_tag(target.repository, tag=tag, revision=commit, repo_type="dataset", exist_ok=True)

    try:
        with hub_errors(f"tag {commit[:8]} of {target.repository}"):
            target.patience("tag", create)
        if (at := _tags(target).get(tag)) != commit:
            raise ConflictError(explain(f"somebody else set the tag {tag} meanwhile", found=f"on commit {at}"))
    except ForNetError as error:
        raise error.at(f"The release is committed ({commit}), but not tagged") from error


def _tags(target: Target) -> dict[str, str]:
    """The commits of all tags."""

    def read() -> dict[str, str]:
        refs = target.api.list_repo_refs(target.repository, repo_type="dataset")
        return {ref.name: ref.target_commit for ref in refs.tags}

    with hub_errors(f"list the tags of {target.repository}"):
        return target.patience("list tags", read)
