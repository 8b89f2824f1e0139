"""Our own errors for what the Hub answers, and for failures on the way to it.

`explained` is for those who read files, `hub_error` for those who bring a release to the Hub or check one there.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub as hub
from huggingface_hub import errors

from fornet_hf.errors import (
    AccessError,
    ConfigurationError,
    ForNetError,
    NotFoundError,
    StorageError,
    UnreachableError,
    explain,
)
from fornet_hf.files import storage_error

Token = str | bool | None

# A user access token of the Hub is hf_ and 34 letters and digits; older ones begin with api_org_.
TOKENS = re.compile(rb"(?:hf_|api_org_)[A-Za-z0-9]{30,}")
LOGIN = "Log in with `hf auth login`, or set HF_TOKEN."
OTHER_DISK = "use another disk: HF_HOME for downloads, cache_dir= for the prepared dataset"
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_CLIENTS = {"aiohttp", "httpcore", "httpcore2", "httpx", "httpx2", "requests", "urllib3"}
# The client reads answers without a look whether they are what it expects: a page of a proxy, half of some JSON.
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, NameError)


def reason_of(error: BaseException) -> BaseException:
    """Return the first error in the chain of causes that says why: an answer, a connection, a file.

    The client wraps whatever ended an upload in a RuntimeError, and hides other failures behind its own mistakes.
    """
    telling = (ForNetError, errors.HfHubHTTPError, errors.HFValidationError, OSError)
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, telling) or _is_of_client(link):
            return link
        link = link.__cause__ or link.__context__
    return error


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status of the answer which an error stands for; None if there was none."""
    return getattr(getattr(reason_of(error), "response", None), "status_code", None)


def is_transient(error: BaseException) -> bool:
    """Return whether the same request may succeed later: it is not refused for good, and the fault is not here."""
    reason = reason_of(error)
    lasting = (ForNetError, errors.HFValidationError, errors.LocalTokenNotFoundError, errors.OfflineModeIsEnabled)
    if isinstance(reason, lasting):
        return False  # waited for already, or of no use to wait for
    status = status_of(reason)
    if status is not None:
        # Storage refuses bytes that arrive damaged and addresses that have expired; each attempt asks for new ones.
        return status in _TRANSIENT or isinstance(error, RuntimeError)
    passing = (ConnectionError, TimeoutError, RuntimeError, *_UNREADABLE)  # of the third kind are the failures of Xet
    return _is_of_client(reason) or isinstance(reason, passing)


def was_broken_off(error: BaseException) -> bool:
    """Return whether a reading broke off or found the Hub busy, so that it may succeed if it is tried again at once.

    Args:
        error: what `explained` raised. An absent network and an answer that lasts are no such failures.
    """
    cause = error.__cause__
    if not isinstance(error, UnreachableError):
        return False
    if isinstance(cause, errors.LocalEntryNotFoundError):
        return isinstance(cause.__cause__, errors.HfHubHTTPError)
    return isinstance(cause, Exception)


def lacks_repository(error: ForNetError) -> bool:
    """Return whether the Hub knows no repository of this name, rather than no such revision or file in it."""
    return isinstance(error.__cause__, errors.RepositoryNotFoundError)


def first_line(error: BaseException) -> str:
    """Return kind and message of an error in a line."""
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _is_of_client(error: BaseException) -> bool:
    """Return whether the library raised it with which the Hub's client sends requests; it depends on its version."""
    return type(error).__module__.split(".")[0] in _CLIENTS


@contextlib.contextmanager
def explained(
    repository: str, revision: str | None, path: str | None = None, token: Token = None, silence: str | None = None
) -> Iterator[None]:
    """Raise our own errors, with the next step to take, in place of those of a client that reads.

    Args:
        repository: `owner/name`.
        revision: branch, tag or commit.
        path: of the file that is read.
        token: that was sent.
        silence: why the Hub was not asked.

    Raises:
        AccessError: not logged in, no access to a gated repository, or a token that is not valid.
        NotFoundError: no such repository (a private one looks the same without access), revision or file.
        UnreachableError: offline or no answer, and not in the cache.
        StorageError: the disk is full or protected.
    """
    try:
        yield
    except ForNetError:
        raise
    except Exception as error:
        reason: BaseException = error
        absent = isinstance(error, FileNotFoundError) and not isinstance(error, errors.LocalEntryNotFoundError)
        if absent and isinstance(error.__cause__, errors.HfHubHTTPError):
            reason = error.__cause__  # HfFileSystem wraps what it was that is not there
        ours = _of_reading(reason, repository, revision, path, token, silence)
        if ours is None:
            raise
        raise ours from reason


def _of_reading(
    error: BaseException,
    repository: str,
    revision: str | None,
    path: str | None,
    token: Token,
    silence: str | None,
) -> ForNetError | None:
    """Return our error for a refusal, a full disk or a broken connection; None for anything else."""
    page = f"{hub.constants.ENDPOINT}/datasets/{repository}"
    at = f" at revision {revision}" if revision else ""
    file = f"{path} of " if path else ""
    if isinstance(error, errors.GatedRepoError):
        return AccessError(_gated(repository, page, token))
    if isinstance(error, errors.RevisionNotFoundError):
        return NotFoundError(explain(f"{repository} has no revision {revision!r}", then=f"See {page}/commits"))
    if isinstance(error, errors.RepositoryNotFoundError):
        then = f"Check the name at {page}; for a private one log in with `hf auth login`, or renew an expired token."
        return NotFoundError(explain(f"there is no dataset {repository} that you can see", then=then))
    if isinstance(error, errors.LocalEntryNotFoundError):
        absent = f"{file}{repository}{at} is not in the cache, and the Hub cannot be reached"
        again = "Check the network, or unset HF_HUB_OFFLINE; what is in the cache needs no network."
        found = silence or first_line(error.__cause__ or error)
        return UnreachableError(explain(absent, found=found, then=again))
    if isinstance(error, errors.EntryNotFoundError | FileNotFoundError):
        what, local = f"{repository}{at} has no file {path}", getattr(error, "filename", None)
        see = f"See {page}/tree/{revision or 'main'}"
        return NotFoundError(explain(what, found=local and f"no {local}", then=see))
    return _failed_reading(error, repository, file)


def _failed_reading(error: BaseException, repository: str, file: str) -> ForNetError | None:
    if isinstance(error, OSError) and (full := storage_error(error, Path(hub.constants.HF_HUB_CACHE), OTHER_DISK)):
        return full
    if isinstance(error, errors.HfHubHTTPError) or getattr(error, "response", None) is not None:
        return _refused_reading(error, repository, file)
    if isinstance(error, json.JSONDecodeError | LookupError):  # the page of a proxy, half of the answer
        unreadable = f"{file}{repository}: an answer that cannot be read"
        look = "Open the Hub in a browser on this machine: a network may want you to log in."
        return UnreachableError(explain(unreadable, found=first_line(error), then=look))
    if _is_of_client(error):  # after the unreadable answers, of which `requests` has a kind of its own
        return UnreachableError(explain(f"{file}{repository}: the connection broke", found=first_line(error)))
    # A ValueError is that of a download past the cache; one without cause is of a parameter.
    if isinstance(error, OSError) or (isinstance(error, ValueError) and error.__cause__ is not None):
        return UnreachableError(f"{file}{repository}: {first_line(error.__cause__ or error)}")
    return None


def _refused_reading(error: BaseException, repository: str, file: str) -> ForNetError:
    status = status_of(error)
    if status == 401:
        then = "Log in again with `hf auth login`, or correct HF_TOKEN."
        return AccessError(explain(f"the Hub does not accept your token for {repository}", then=then))
    if status == 403:
        return AccessError(explain(f"the Hub refuses {file}{repository}", found=first_line(error)))
    return UnreachableError(explain(f"{file}{repository}: the Hub answered with an error", found=first_line(error)))


def _gated(repository: str, page: str, token: Token) -> str:
    if token is False or (not isinstance(token, str) and hub.get_token() is None):
        tokens = f"{hub.constants.ENDPOINT}/settings/tokens"
        then = f"Ask for access at {page}, make a token at {tokens}, then `hf auth login`."
        return explain(f"{repository} is gated and you are not logged in", then=then)
    then = f"Ask for access at {page} with the account that your token belongs to (`hf auth whoami`)."
    return explain(f"{repository} is gated and your account has no access to it", then=then)


def hub_error(tried: str, error: BaseException) -> ForNetError:
    """Return our own error for that of a client which lists, uploads or commits.

    Args:
        tried: what failed, to begin the message with: "read TNauen/ForNet".
        error: what the client raised.

    Returns:
        AccessError: no token, a wrong one, or one that does not suffice.
        NotFoundError: no such repository, revision or file.
        ConfigurationError: a name that no repository can have.
        NotFoundError, StorageError: a file on this machine cannot be read.
        UnreachableError: any other failure of the Hub or of the way to it.
    """
    error = reason_of(error)
    if isinstance(error, ForNetError):
        return error
    if isinstance(error, errors.HfHubHTTPError):
        return _refused_sending(tried, error)
    kind: type[ForNetError] = UnreachableError
    found = f"{type(error).__name__}: {error}"[:300]
    then = "Check the connection and run the same command again: it goes on where it stopped."
    if isinstance(error, errors.HFValidationError):
        kind, found, then = ConfigurationError, str(error), "Correct it."
    elif isinstance(error, errors.LocalTokenNotFoundError):
        kind, found, then = AccessError, "no token", LOGIN
    elif isinstance(error, errors.OfflineModeIsEnabled):
        found, then = "HF_HUB_OFFLINE is set", "Unset it."
    elif isinstance(error, OSError) and error.filename is not None:
        kind = NotFoundError if isinstance(error, FileNotFoundError) else StorageError
        found, then = f"that a file on this machine cannot be read: {found}", "Put it right and run it again."
    elif isinstance(error, PermissionError):  # of Xet
        kind, then = AccessError, LOGIN
    elif isinstance(error, _UNREADABLE):
        found = f"an answer that cannot be read: {found}"
    return kind(explain(f"cannot {tried}", found=found, then=then))


def _refused_sending(tried: str, error: errors.HfHubHTTPError) -> ForNetError:
    # The server's own words, for the client's message also has addresses, which may be signed.
    said = str(getattr(error, "server_message", None) or "no reason given").splitlines()[0][:300]
    found = f"the Hub answers {status_of(error)}: {said}"
    if isinstance(error, errors.GatedRepoError):
        then = "Ask for access on the repository's page, and log in with the account that has it."
        return AccessError(explain(f"cannot {tried}", found=found, then=then))
    if isinstance(error, errors.RevisionNotFoundError):
        return NotFoundError(explain(f"cannot {tried}: no such revision", found=found))
    if isinstance(error, errors.RepositoryNotFoundError):
        then = f"Check the name; a private repository also looks like this without access. {LOGIN}"
        return NotFoundError(explain(f"cannot {tried}: no such repository", found=found, then=then))
    if isinstance(error, errors.EntryNotFoundError):
        return NotFoundError(explain(f"cannot {tried}: no such file", found=found))
    if status_of(error) in (401, 403):
        then = f"The token must have the write role for this repository. {LOGIN}"
        return AccessError(explain(f"cannot {tried}", found=found, then=then))
    return UnreachableError(explain(f"cannot {tried}", found=found, then="Try again later."))


def without_token(text: str, own: str | None) -> str:
    """Return the text with everything replaced that is or looks like a token."""
    text = text.replace(own, "hf_(hidden)") if own else text
    return TOKENS.sub(b"hf_(hidden)", text.encode()).decode()
