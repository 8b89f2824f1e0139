"""What the Hub answers when it does not take what it is sent, in our own words (of reading: `fornet_hf.hub`)."""

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
    UnreachableError,
    explain,
)

LOGIN = "Log in with `hf auth login`, or set HF_TOKEN."
_TRANSPORTS = (("httpx2", "TransportError"), ("httpx", "TransportError"), ("requests", "RequestException"))


@cache
def connection_errors() -> tuple[type[BaseException], ...]:
    """What the client raises when a connection fails; which library it uses depends on its version."""
    found: list[type[BaseException]] = [ConnectionError, TimeoutError]
    for module, name in _TRANSPORTS:
        with contextlib.suppress(ImportError):
            found.append(getattr(importlib.import_module(module), name))
    return tuple(found)


def status_of(error: BaseException) -> int | None:
    """The HTTP status of the answer which an error stands for; None if there was none."""
    return getattr(getattr(error, "response", None), "status_code", None)


@contextlib.contextmanager
def hub_errors(what: str) -> Iterator[None]:
    """Raise our own errors in place of the client's.

    Args:
        what: was tried, to begin the message with: "read TNauen/ForNet".

    Raises:
        AccessError: no token, a wrong one, or one that does not suffice.
        NotFoundError: no such repository, revision or file.
        ConfigurationError: a name that no repository can have.
        UnreachableError: any other failure of the Hub or of the way to it.
    """
    try:
        yield
    except ForNetError:
        raise
    except HFValidationError as error:
        raise ConfigurationError(explain(f"cannot {what}", found=error)) from error
    except LocalTokenNotFoundError as error:
        raise AccessError(explain(f"cannot {what}", found="no token", then=LOGIN)) from error
    except OfflineModeIsEnabled as error:
        raise UnreachableError(explain(f"cannot {what}", found="HF_HUB_OFFLINE is set", then="Unset it.")) from error
    except HfHubHTTPError as error:
        raise _refusal(what, error) from error
    except connection_errors() as error:
        found = f"{type(error).__name__}: {error}"
        then = "Check the connection and run the same command again: it goes on where it stopped."
        raise UnreachableError(explain(f"cannot {what}", found=found, then=then)) from error


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
