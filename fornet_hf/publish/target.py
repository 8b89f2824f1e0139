"""The repository and branch that a release is brought to."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import huggingface_hub as hub

from fornet_hf.errors import ConfigurationError, ConflictError, ForNetError, explain
from fornet_hf.hub.listing import head_of, remote_files
from fornet_hf.hub.location import check_name
from fornet_hf.hub.retry import Patience
from fornet_hf.publish.contents import Content
from fornet_hf.publish.plan import Plan, make_plan

_TAG = re.compile(r"\w[\w-]*([./][\w-]+)*(?<!\.lock)", re.ASCII)  # a part of what git allows


@dataclass(frozen=True, kw_only=True)
class Target:
    """The destination of a release.

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

    api: hub.HfApi
    repository: str
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
        ask = functools.partial(self.api.repo_exists, self.repository, repo_type="dataset")
        return self.patience.ask("find", f"read {self.repository}", ask)

    def create(self, *, private: bool) -> None:
        """Create the repository."""
        create = functools.partial(
            self.api.create_repo, self.repository, repo_type="dataset", private=private, exist_ok=True
        )
        self.patience.ask("create", f"create {self.repository}", create)

    def head(self) -> str:
        """Return the newest commit of the branch."""
        return head_of(self.api, self.repository, self.revision, self.patience)

    def plan(self, files: Mapping[str, Content], head: str, known: Mapping[str, str] | None = None) -> Plan:
        """Return what is to do at a commit; an empty `head` stands for a repository that is yet to be created."""
        remote = remote_files(self.api, self.repository, head, self.patience) if head else {}
        return make_plan(head, files, remote, known=known, remove=self.remove)

    def check_tag(self, head: str, *, there: bool) -> None:
        """Refuse a tag that would have to move.

        Args:
            head: the newest commit of the branch; empty: the repository is yet to be created.
            there: whether that commit holds this release already, so that it may have the tag.

        Raises:
            ConfigurationError: the tag is on another commit than the release is or will be.
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
            ForNetError: the Hub refuses or fails; the message says that the release is committed.
        """
        tag = self.tag
        if not tag or self._tags().get(tag) == commit:
            return

        def create() -> None:
            self.api.create_tag(self.repository, tag=tag, revision=commit, repo_type="dataset", exist_ok=True)

        try:
            self.patience.ask("tag", f"tag {commit[:8]} of {self.repository}", create)
            if (at := self._tags().get(tag)) != commit:
                raise ConflictError(explain(f"somebody else set the tag {tag} meanwhile", found=f"on commit {at}"))
        except ForNetError as error:
            raise error.at(f"The release is committed ({commit}), but not tagged") from error

    def _tags(self) -> dict[str, str]:
        """Return the commits of all tags."""

        def read() -> dict[str, str]:
            refs = self.api.list_repo_refs(self.repository, repo_type="dataset")
            return {ref.name: ref.target_commit for ref in refs.tags}

        return self.patience.ask("list tags", f"list the tags of {self.repository}", read)
