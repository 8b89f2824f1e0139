"""Every refusal of the Hub, in words that help."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub as hub
from huggingface_hub import errors

from fornet_hf.errors import AccessError, ForNetError, NotFoundError, UnreachableError, explain
from fornet_hf.files import storage_error
from fornet_hf.hub.reach import silence

Token = str | bool | None

OTHER_DISK = "use another disk: HF_HOME for downloads, cache_dir= for the prepared dataset"
_CLIENTS = {"aiohttp", "httpcore", "httpcore2", "httpx", "httpx2", "requests", "urllib3"}


@contextlib.contextmanager
def explained(repository: str, revision: str | None, path: str | None = None, token: Token = None) -> Iterator[None]:
    """Turn what `huggingface_hub` raises into our errors, with the next step to take.

    Raises:
        AccessError: not logged in, no access to a gated repository, or a token that is not valid.
        NotFoundError: no such repository (a private one looks the same without access), revision or file.
        UnreachableError: offline or no answer, and not in the cache.
        StorageError: the disk is full or protected.
    """
    page = f"{hub.constants.ENDPOINT}/datasets/{repository}"
    at = f" at revision {revision}" if revision else ""
    file = f"{path} of " if path else ""
    try:
        yield
    except ForNetError:
        raise
    except errors.GatedRepoError as error:
        raise AccessError(_gated(repository, page, token)) from error
    except errors.RevisionNotFoundError as error:
        raise NotFoundError(
            explain(f"{repository} has no revision {revision!r}", then=f"See {page}/commits")
        ) from error
    except errors.RepositoryNotFoundError as error:
        what = f"there is no dataset {repository} that you can see"
        then = f"Check the name at {page}; for a private one log in with `hf auth login`, or renew an expired token."
        raise NotFoundError(explain(what, then=then)) from error
    except errors.LocalEntryNotFoundError as error:
        then = "Check the network, or unset HF_HUB_OFFLINE; what is in the cache needs no network."
        what = f"{file}{repository}{at} is not in the cache, and the Hub cannot be reached"
        found = silence() or _first_line(error.__cause__ or error)
        raise UnreachableError(explain(what, found=found, then=then)) from error
    except (errors.EntryNotFoundError, FileNotFoundError) as error:
        if isinstance(error.__cause__, errors.HfHubHTTPError) and isinstance(error, FileNotFoundError):
            with explained(repository, revision, path, token):  # HfFileSystem wraps what it was that is not there
                raise error.__cause__ from None
        what, local = f"{repository}{at} has no file {path}", getattr(error, "filename", None)
        raise NotFoundError(
            explain(what, found=local and f"no {local}", then=f"See {page}/tree/{revision or 'main'}")
        ) from error
    except Exception as error:
        ours = _other(error, repository, file)
        if ours is None:
            raise
        raise ours from error


def _other(error: Exception, repository: str, file: str) -> ForNetError | None:
    """Our error for a refusal, a full disk or a broken connection; None for anything else."""
    if isinstance(error, OSError) and (full := storage_error(error, Path(hub.constants.HF_HUB_CACHE), OTHER_DISK)):
        return full
    if isinstance(error, errors.HfHubHTTPError) or getattr(error, "response", None) is not None:
        return _http(error, repository, file)
    if type(error).__module__.split(".")[0] in _CLIENTS:  # some of them are OSErrors too
        return UnreachableError(explain(f"{file}{repository}: the connection broke", found=_first_line(error)))
    if isinstance(error, (json.JSONDecodeError, LookupError)):  # the page of a proxy, half of the answer
        what = f"{file}{repository}: an answer that cannot be read"
        then = "Open the Hub in a browser on this machine: a network may want you to log in."
        return UnreachableError(explain(what, found=_first_line(error), then=then))
    # A ValueError is that of a download past the cache; one without cause is of a parameter.
    if isinstance(error, OSError) or (isinstance(error, ValueError) and error.__cause__ is not None):
        return UnreachableError(f"{file}{repository}: {_first_line(error.__cause__ or error)}")
    return None


def _gated(repository: str, page: str, token: Token) -> str:
    if token is False or (not isinstance(token, str) and hub.get_token() is None):
        tokens = f"{hub.constants.ENDPOINT}/settings/tokens"
        then = f"Ask for access at {page}, make a token at {tokens}, then `hf auth login`."
        return explain(f"{repository} is gated and you are not logged in", then=then)
    then = f"Ask for access at {page} with the account that your token belongs to (`hf auth whoami`)."
    return explain(f"{repository} is gated and your account has no access to it", then=then)


def _http(error: Exception, repository: str, file: str) -> ForNetError:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 401:
        then = "Log in again with `hf auth login`, or correct HF_TOKEN."
        return AccessError(explain(f"the Hub does not accept your token for {repository}", then=then))
    if status == 403:
        return AccessError(explain(f"the Hub refuses {file}{repository}", found=_first_line(error)))
    return UnreachableError(explain(f"{file}{repository}: the Hub answered with an error", found=_first_line(error)))


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


def lacks_repository(error: ForNetError) -> bool:
    """Return whether the Hub knows no repository of this name, rather than no such revision or file in it."""
    return isinstance(error.__cause__, errors.RepositoryNotFoundError)
