"""Users, their tokens, and who may see, read and change a repository."""

from __future__ import annotations

from dataclasses import dataclass

from tests.local_hub.errors import HubError, forbidden, gated, invalid_token, login_needed, repository_not_found
from tests.local_hub.repository import Repository


@dataclass(frozen=True)
class User:
    """A user with one token, which may write or only read; what `organisations` own is the user's too."""

    name: str
    token: str
    write: bool = True
    organisations: tuple[str, ...] = ()

    def owns(self, namespace: str) -> bool:
        """Return whether repositories under this name belong to the user."""
        return namespace == self.name or namespace in self.organisations


def authenticate(header: str | None, users: dict[str, User]) -> User | None:
    """Return the user behind an `Authorization` header, None without one; an unknown token is refused."""
    if header is None:
        return None
    token = header.removeprefix("Bearer ").strip()
    if token not in users:
        raise invalid_token()
    return users[token]


def check_visible(repository: Repository | None, user: User | None) -> Repository:
    """Return the repository, unless it is missing or private and not the user's."""
    hidden = repository is None or (repository.private and not (user is not None and user.owns(repository.owner)))
    if repository is None or hidden:
        raise repository_not_found(logged_in=user is not None)
    return repository


def check_readable(repository: Repository, user: User | None) -> None:
    """Refuse the files of a gated repository, unless to its owner and to those on its list."""
    if not repository.gated:
        return
    if user is None or not (user.owns(repository.owner) or user.name in repository.allowed):
        raise gated(repository.name, logged_in=user is not None)


def check_writable(namespace: str, user: User | None) -> User:
    """Return the user, who must own the namespace and have a token with the write role."""
    if not check_known(user).owns(namespace):
        raise forbidden(f"You don't have the rights to change repositories of {namespace}")
    return check_role(user)


def check_role(user: User | None) -> User:
    """Return the user, whose token must have the write role."""
    known = check_known(user)
    if not known.write:
        raise HubError(403, "Forbidden: you must use a write token to upload to a repository.")
    return known


def check_known(user: User | None) -> User:
    """Return the user, who must have sent a token."""
    if user is None:
        raise login_needed()
    return user
