"""Reading from the Hub: downloads, streams; and every refusal in words that help."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import unquote

import huggingface_hub as hub
from huggingface_hub import errors

from fornet_hf.cached import is_whole
from fornet_hf.errors import (
    AccessError,
    ForNetError,
    IntegrityError,
    NotFoundError,
    StorageError,
    UnreachableError,
    explain,
)
from fornet_hf.files import open_local

Token = str | bool | None

SCHEME = "hf://"
_CLIENTS = {"aiohttp", "httpcore", "httpcore2", "httpx", "httpx2", "requests", "urllib3"}
_FULL = {errno.ENOSPC, errno.EDQUOT}  # the disk, or what this user may have of it
_ATTEMPTS = 6
_FIRST_PAUSE = 0.5  # seconds, doubled each time: 15 s in all


def download(
    repository: str,
    path: str,
    revision: str | None = None,
    token: Token = None,
    *,
    anew: bool = False,
    cache: Path | None = None,
) -> Path:
    """A file of a dataset repository, in the Hub's cache; a broken or damaged download is repeated.

    Args:
        repository: `owner/name`.
        path: in the repository.
        revision: branch, tag or commit; default: main.
        token: for the Hub.
        anew: download the file even if the cache has it.
        cache: the folder; default: the shared one.

    Raises:
        AccessError, NotFoundError, StorageError, UnreachableError.
        IntegrityError: twice in a row, what arrives is not what the Hub says it has.
    """
    before = None if anew else hub.try_to_load_from_cache(repository, path, cache, revision, "dataset")
    file = _download(repository, path, revision, token, anew=anew, cache=cache)
    if str(file) != before and not is_whole(file):
        file = _download(repository, path, revision, token, anew=True, cache=cache)
        if not is_whole(file):
            then = "Something between damages what passes, or the disk is failing: try another network or disk."
            what = f"{path} of {repository}: downloaded twice, it is not the file that the Hub has"
            raise IntegrityError(explain(what, found=file, allowed=f"digest {file.resolve().name}", then=then))
    return file


def _download(
    repository: str, path: str, revision: str | None, token: Token, *, anew: bool, cache: Path | None
) -> Path:
    for pause in _pauses():
        try:
            with explained(repository, revision, path, token):
                return Path(
                    hub.hf_hub_download(
                        repository,
                        path,
                        repo_type="dataset",
                        revision=revision,
                        token=token,
                        force_download=anew,
                        cache_dir=cache,
                    )
                )
        except UnreachableError as error:
            if pause is None or not _broken_off(error):
                raise
            time.sleep(pause)
    raise AssertionError("unreachable")


def snapshot_commit(cached: Path) -> str | None:
    """The commit which a file in the Hub cache, or its folder, belongs to."""
    # The last one, as `.*` takes all it can: the cache itself may be in a folder of that name.
    match = re.match(".*/snapshots/([0-9a-f]{40})(?:/|$)", cached.as_posix())
    return match[1] if match else None


def cached_commit(repository: str, revision: str) -> str | None:
    """The commit that a branch or tag had when something of it was last downloaded."""
    with contextlib.suppress(errors.LocalEntryNotFoundError):
        folder = hub.snapshot_download(repository, repo_type="dataset", revision=revision, local_files_only=True)
        return snapshot_commit(Path(folder))
    return None


def remote_address(repository: str, path: str, revision: str | None) -> str:
    """The `hf://` address of a file."""
    return f"{SCHEME}datasets/{repository}{'@' + revision.replace('/', '%2F') if revision else ''}/{path}"


def open_file(address: str, token: Token = None) -> BinaryIO:
    """Open a local path, or an `hf://` address that is read in pieces as they are needed."""
    if not address.startswith(SCHEME):
        return open_local(address)
    return cast(BinaryIO, io.BufferedReader(_RemoteFile(address.removeprefix(SCHEME), token), 2**20))


class _RemoteFile(io.RawIOBase):
    """A file on the Hub; a read that fails is tried again on a new connection, with growing pauses."""

    def __init__(self, address: str, token: Token) -> None:
        self._address, self._token = address, token
        self._position = 0
        self._file = self._open()
        self._size = int(self._file.size)

    def _open(self) -> Any:
        with self._explained():
            return hub.HfFileSystem(token=self._token).open(self._address, "rb", block_size=2**20)

    def _explained(self) -> AbstractContextManager[None]:
        match = re.fullmatch(r"datasets/([^/]+/[^/@]+)(?:@([^/]+))?/(.*)", self._address)
        if match is None:
            return contextlib.nullcontext()
        repository, revision, path = match.groups()
        return explained(repository, revision and unquote(revision), path, self._token)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = start + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        data = self._read(min(len(view), max(0, self._size - self._position)))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _read(self, count: int) -> bytes:
        for pause in _pauses():
            try:
                with self._explained():
                    self._file.seek(self._position)
                    return cast(bytes, self._file.read(count))
            except UnreachableError as error:
                if pause is None or not _broken_off(error):
                    raise
                time.sleep(pause)
                self._file = self._open()
        raise AssertionError("unreachable")


def lacks_repository(error: ForNetError) -> bool:
    """Return whether the Hub knows no repository of this name, rather than no such revision or file in it."""
    return isinstance(error.__cause__, errors.RepositoryNotFoundError)


def _pauses() -> Iterator[float | None]:
    """Seconds to wait after each failed attempt; None after the last."""
    yield from (_FIRST_PAUSE * 2**attempt for attempt in range(_ATTEMPTS - 1))
    yield None


def _broken_off(error: BaseException) -> bool:
    """Whether a transfer broke off or the Hub was busy, which is worth another attempt; no network at all is not."""
    cause = error.__cause__
    if isinstance(cause, errors.LocalEntryNotFoundError):
        return isinstance(cause.__cause__, errors.HfHubHTTPError)
    return isinstance(cause, Exception)


@contextlib.contextmanager
def explained(repository: str, revision: str | None, path: str | None = None, token: Token = None) -> Iterator[None]:
    """Turn what `huggingface_hub` raises into our errors, with the next step to take.

    Raises:
        AccessError: not logged in, no access to a gated repository, or a token that is not valid.
        NotFoundError: no such repository (a private one looks the same without access), revision or file.
        UnreachableError: offline or no answer, and not in the cache.
        StorageError: the disk is full.
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
        raise UnreachableError(explain(what, found=_first_line(error.__cause__ or error), then=then)) from error
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
    full = disk_full(error) if isinstance(error, OSError) else None
    if full is not None:
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


def disk_full(error: OSError) -> StorageError | None:
    """Our error, if this one says that a disk is full."""
    if error.errno not in _FULL:
        return None
    then = "Free some space, or use another disk: HF_HOME for downloads, cache_dir= for the prepared dataset."
    return StorageError(explain("the disk is full", found=error.filename or error.strerror, then=then))


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
