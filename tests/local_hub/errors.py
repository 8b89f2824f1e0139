"""The refusals of the Hub, with the headers by which its clients tell them apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class HubError(Exception):
    """A request that is refused: HTTP status, `X-Error-Code` (may be empty) and `X-Error-Message`."""

    status: int
    message: str
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.message}"


def invalid_token() -> HubError:
    """Return the error for a token that belongs to nobody; the clients recognise the exact wording."""
    return HubError(401, "Invalid credentials in Authorization header")


def login_needed() -> HubError:
    """Return the error for a call that needs a user and came without a token."""
    return HubError(401, "Invalid username or password.", "RepoNotFound")


def repository_not_found(*, logged_in: bool) -> HubError:
    """Return the error for a repository which is missing or hidden: the Hub does not tell the two apart."""
    return HubError(404, "Repository not found", "RepoNotFound") if logged_in else login_needed()


def gated(repository: str, *, logged_in: bool) -> HubError:
    """Return the error for files of a gated repository, asked for by someone who is not on its list."""
    if not logged_in:
        advice = "You must have access to it and be authenticated to access it. Please log in."
        return HubError(401, f"Access to dataset {repository} is restricted. {advice}", "GatedRepo")
    advice = f"Visit https://huggingface.co/datasets/{repository} to ask for access."
    message = f"Access to dataset {repository} is restricted and you are not in the authorized list. {advice}"
    return HubError(403, message, "GatedRepo")


def forbidden(message: str) -> HubError:
    """Return the error for a known user who may not do this."""
    return HubError(403, message)


def revision_not_found(revision: str) -> HubError:
    """Return the error for a branch, tag, pull request or commit that the repository does not have."""
    return HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")


def entry_not_found(path: str, commit: str) -> HubError:
    """Return the error for a file or folder that the revision does not have."""
    message = f"Entry not found: {path} does not exist at {commit}"
    return HubError(404, message, "EntryNotFound", {"X-Repo-Commit": commit})


def stale_parent() -> HubError:
    """Return the error for a commit whose `parent_commit` is no longer the head of the branch."""
    return HubError(412, "A commit has happened since. Please refresh and try again.")
