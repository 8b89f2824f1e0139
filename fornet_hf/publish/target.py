"""The repository and branch that something is brought to."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import huggingface_hub as hub

from fornet_hf.errors import ConfigurationError, ConflictError, ForNetError, NotFoundError, explain
from fornet_hf.hub.listing import FileFacts, head_of, remote_files
from fornet_hf.hub.location import check_name
from fornet_hf.hub.retry import Patience
from fornet_hf.publish.contents import Content
from fornet_hf.publish.plan import Plan, make_plan, plan_return

_TAG = re.compile(r"\w[\w-]*([./][\w-]+)*(?<!\.lock)", re.ASCII)  # a part of what git allows


@dataclass(frozen=True, kw_only=True)
class Target:
    """The destination of what is published.

    Attributes:
        api: the client, with its token.
        repository: `namespace/name`.
        repo_type: `dataset`, `model` or `space`.
        sdk: of a space that is created.
        revision: a branch; None: main.
        create_pr: open a pull request instead of changing the branch.
        tag: name for the new commit.
        message: of the commit, and title of the pull request.
        remove: patterns of files to delete where what is published lacks them.
        patience: for requests that fail.
        say: gets a line of progress.
    """

    api: hub.HfApi
    repository: str
    repo_type: str = "dataset"
    sdk: str | None = None
    revision: str | None = None
    create_pr: bool = False
    tag: str | None = None
    message: str = "New release"
    remove: Sequence[str] = ()
    patience: Patience = field(default_factory=Patience)
    say: Callable[[str], None] = lambda _: None

    def __post_init__(self) -> None:
        check_name(self.repository)
        if self.tag and not _TAG.fullmatch(self.tag):
            allowed = "letters, digits, - and _, with single dots and slashes between them, such as v1.0"
            raise ConfigurationError(explain("this cannot be a tag", found=repr(self.tag), allowed=allowed))
        if self.create_pr and self.tag:
            found = f"--create-pr and --tag {self.tag}"
            then = "Tag the commit when the pull request is merged."
            raise ConfigurationError(
                explain("a tag for a pull request", found=found, allowed="one of both", then=then)
            )
        if not self.message.strip():
            raise ConfigurationError(explain("the commit's message", found="none", allowed="some text"))

    def exists(self) -> bool:
        """Return whether the repository is there; a private one that the token may not see is not."""
        ask = functools.partial(self.api.repo_exists, self.repository, repo_type=self.repo_type)
        return self.patience.ask("find", f"read {self.repository}", ask)

    def create(self, *, private: bool) -> None:
        """Create the repository."""
        create = functools.partial(
            self.api.create_repo,
            self.repository,
            repo_type=self.repo_type,
            space_sdk=self.sdk,
            private=private,
            exist_ok=True,
        )
        self.patience.ask("create", f"create {self.repository}", create)

    def head(self) -> str:
        """Return the newest commit of the branch."""
        return self.commit_of(self.revision)

    def commit_of(self, revision: str | None) -> str:
        """Return the commit that a revision names; None: the branch main."""
        return head_of(self.api, self.repository, revision, self.patience, self.repo_type)

    def files(self, commit: str) -> dict[str, FileFacts]:
        """Return the files at a commit, by path; none of a repository that is yet to be created, which is empty."""
        return remote_files(self.api, self.repository, commit, self.patience, self.repo_type) if commit else {}

    def plan(self, files: Mapping[str, Content], head: str, known: Mapping[str, str] | None = None) -> Plan:
        """Return what is to do at a commit; an empty `head` stands for a repository that is yet to be created."""
        return make_plan(head, files, self.files(head), known=known, remove=self.remove)

    def plan_return(self, past: Mapping[str, FileFacts], head: str) -> Plan:
        """Return what is to do at a commit so that it holds the files of an earlier one."""
        return plan_return(head, past, self.files(head), remove=self.remove)

    def page(self, number: int) -> str:
        """Return the address of a pull request."""
        kinds = hub.constants.REPO_TYPES_URL_PREFIXES
        return f"{self.api.endpoint}/{kinds.get(self.repo_type, '')}{self.repository}/discussions/{number}"

    def tagged(self, tag: str) -> str:
        """Return the commit of a tag.

        Raises:
            NotFoundError: there is no such tag.
        """
        tags = self._tags()
        if tag not in tags:
            allowed = ", ".join(sorted(tags)) or "none: the repository has no tags"
            raise NotFoundError(explain(f"{self.repository}: no such tag", found=tag, allowed=allowed))
        return tags[tag]

    def check_tag(self, head: str, *, there: bool) -> None:
        """Refuse a tag that would have to move.

        Args:
            head: the newest commit of the branch; empty: the repository is yet to be created.
            there: whether that commit holds all of it already, so that it may have the tag.

        Raises:
            ConfigurationError: the tag is on another commit than what is published is or will be.
        """
        at = self._tags().get(self.tag) if self.tag and head else None
        if at is not None and not (there and at == head):
            then = "Choose another name; a tag that people use should not move."
            raise ConfigurationError(
                explain(f"the tag {self.tag} is there already", found=f"on commit {at}", then=then)
            )

    def set_tag(self, commit: str) -> None:
        """Give the tag, if there is one, to a commit.

        Raises:
            ConflictError: somebody else set the tag meanwhile.
            ForNetError: the Hub refuses or fails; the message says that all is committed.
        """
        tag = self.tag
        if not tag or self._tags().get(tag) == commit:
            return

        def create() -> None:
            self.api.create_tag(self.repository, tag=tag, revision=commit, repo_type=self.repo_type, exist_ok=True)

        try:
            self.patience.ask("tag", f"tag {commit[:8]} of {self.repository}", create)
            if (at := self._tags().get(tag)) != commit:
                raise ConflictError(explain(f"somebody else set the tag {tag} meanwhile", found=f"on commit {at}"))
        except ForNetError as error:
            raise error.at(f"Everything is committed ({commit}), but not tagged") from error

    def _tags(self) -> dict[str, str]:
        """Return the commits of all tags."""

        def read() -> dict[str, str]:
            refs = self.api.list_repo_refs(self.repository, repo_type=self.repo_type)
            return {ref.name: ref.target_commit for ref in refs.tags}

        return self.patience.ask("list tags", f"list the tags of {self.repository}", read)
