"""Answers of the Hub to what it is sent, in our own words (of reading: `fornet_hf.hub.transfer`)."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from functools import cache

from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from fornet_hf.errors import (
    AccessError,
    ConfigurationError,
    ForNetError,
    NotFoundError,
    StorageError,
    UnreachableError,
    explain,
)

TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_AGAIN = "Check the connection and run the same command again: it goes on where it stopped."
LOGIN = "Log in with `hf auth login`, or set HF_TOKEN."
_TRANSPORTS = (("httpx2", "TransportError"), ("httpx", "TransportError"), ("requests", "RequestException"))
# The client reads answers without a look whether they are what it expects: a page of a proxy, half of some JSON.
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, NameError)


@cache
def connection_errors() -> tuple[type[BaseException], ...]:
    """What the client raises when a connection fails; which library it uses depends on its version."""
    found: list[type[BaseException]] = [ConnectionError, TimeoutError]
    for module, name in _TRANSPORTS:
        with contextlib.suppress(ImportError):
            found.append(getattr(importlib.import_module(module), name))
    return tuple(found)


def reason_of(error: BaseException) -> BaseException:
    """Return the first error in the chain of causes that says why: an answer, a connection, a file.

    The client wraps whatever ended an upload in a RuntimeError, and hides other failures behind its own mistakes.
    """
    telling = (ForNetError, HfHubHTTPError, HFValidationError, OSError, *connection_errors())
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, telling):
            return link
        link = link.__cause__ or link.__context__
    return error


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status of the answer which an error stands for; None if there was none."""
    return getattr(getattr(reason_of(error), "response", None), "status_code", None)


def is_transient(error: BaseException) -> bool:
    """Return whether the same request may succeed later: it is not refused for good, and the fault is not here."""
    reason = reason_of(error)
    if isinstance(reason, (ForNetError, HFValidationError, LocalTokenNotFoundError, OfflineModeIsEnabled)):
        return False  # waited for already, or of no use to wait for
    status = status_of(reason)
    if status is not None:
        # Storage refuses bytes that arrive damaged and addresses that have expired; each attempt asks for new ones.
        return status in TRANSIENT or isinstance(error, RuntimeError)
    if isinstance(reason, connection_errors()):
        return True
    return isinstance(reason, (RuntimeError, *_UNREADABLE))  # of the first kind are the failures of Xet


@contextlib.contextmanager
def hub_errors(what: str) -> Iterator[None]:
    """Raise our own errors in place of the client's.

    Args:
        what: was tried, to begin the message with: "read TNauen/ForNet".

    Raises:
        AccessError: no token, a wrong one, or one that does not suffice.
        NotFoundError: no such repository, revision or file.
        ConfigurationError: a name that no repository can have.
        NotFoundError, StorageError: a file on this machine cannot be read.
        UnreachableError: any other failure of the Hub or of the way to it.
    """
    try:
        yield
    except ForNetError:
        raise
    except Exception as error:
        raise _translated(what, reason_of(error)) from error


def _translated(what: str, error: BaseException) -> ForNetError:
    if isinstance(error, ForNetError):
        return error
    if isinstance(error, HfHubHTTPError):
        return _refusal(what, error)
    kind: type[ForNetError] = UnreachableError
    found, then = f"{type(error).__name__}: {error}"[:300], _AGAIN
    if isinstance(error, HFValidationError):
        kind, found, then = ConfigurationError, str(error), "Correct it."
    elif isinstance(error, LocalTokenNotFoundError):
        kind, found, then = AccessError, "no token", LOGIN
    elif isinstance(error, OfflineModeIsEnabled):
        found, then = "HF_HUB_OFFLINE is set", "Unset it."
    elif isinstance(error, OSError) and error.filename is not None:
        kind = NotFoundError if isinstance(error, FileNotFoundError) else StorageError
        found, then = f"that a file on this machine cannot be read: {found}", "Put it right and run it again."
    elif isinstance(error, PermissionError):  # of Xet
        kind, then = AccessError, LOGIN
    elif isinstance(error, _UNREADABLE):
        found = f"an answer that cannot be read: {found}"
    return kind(explain(f"cannot {what}", found=found, then=then))


def _refusal(what: str, error: HfHubHTTPError) -> ForNetError:
    status, said = status_of(error), _said(error)
    found = f"the Hub answers {status}: {said}"
    if isinstance(error, GatedRepoError):
        then = "Ask for access on the repository's page, and log in with the account that has it."
        return AccessError(explain(f"cannot {what}", found=found, then=then))
    if isinstance(error, RevisionNotFoundError):
        return NotFoundError(explain(f"cannot {what}: no such revision", found=found))
    if isinstance(error, RepositoryNotFoundError):
        then = f"Check the name; a private repository also looks like this without access. {LOGIN}"
        return NotFoundError(explain(f"cannot {what}: no such repository", found=found, then=then))
    if isinstance(error, EntryNotFoundError):
        return NotFoundError(explain(f"cannot {what}: no such file", found=found))
    if status in (401, 403):
        then = f"The token must have the write role for this repository. {LOGIN}"
        return AccessError(explain(f"cannot {what}", found=found, then=then))
    return UnreachableError(explain(f"cannot {what}", found=found, then="Try again later."))


def _said(error: HfHubHTTPError) -> str:
    """The server's own words; the client's message also has addresses, which may be signed."""
    return str(getattr(error, "server_message", None) or "no reason given").splitlines()[0][:300]
