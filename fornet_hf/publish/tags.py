"""The tag that names a published commit, and stays where it is."""

from __future__ import annotations

from fornet_hf.errors import ConfigurationError, ConflictError, ForNetError, explain
from fornet_hf.hub.failures import hub_errors
from fornet_hf.publish.target import Target


def check_tag(target: Target, head: str, *, there: bool) -> None:
    """Refuse a tag that would have to move.

    Args:
        target: with the tag.
        head: the newest commit of the branch; empty: the repository is yet to be created.
        there: whether that commit holds this release already, so that it may have the tag.

    Raises:
        ConfigurationError: the tag is on another commit than the release is or will be.
    """
    at = _tags(target).get(target.tag) if target.tag and head else None
    if at is not None and not (there and at == head):
        then = "Choose another name; a tag that people use should not move."
        raise ConfigurationError(
            explain(f"the tag {target.tag} is there already", found=f"on commit {at}", then=then)
        )


def set_tag(target: Target, tag: str, commit: str) -> None:
    """Name a commit.

    Raises:
        ConflictError: somebody else set the tag meanwhile.
        ForNetError: the Hub refuses or fails; the message says that the release is committed.
    """
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
