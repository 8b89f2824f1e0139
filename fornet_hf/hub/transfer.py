"""Files of the Hub: downloaded to its cache, checked there, or read in pieces where they are."""

from __future__ import annotations

import contextlib
import functools
import io
import math
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import unquote

import huggingface_hub as hub
from huggingface_hub import errors
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # documented, but not listed there
    are_progress_bars_disabled,
    build_hf_headers,
    disable_progress_bars,
    enable_progress_bars,
    get_session,
    hf_raise_for_status,
)

from fornet_hf.errors import AccessError, IntegrityError, NotFoundError, UnreachableError, explain
from fornet_hf.files import git_blob_id, open_local, sha256_of
from fornet_hf.hub.errors import Token, explained, was_broken_off
from fornet_hf.hub.retry import Patience, require_answer, silence

SCHEME = "hf://"
_LIBRARY = "huggingface_hub"
_FIRST_PAUSE = 0.5  # seconds, doubled each time: 15 s in all
_PATIENCE = 35.0  # seconds after which a read is not tried again; each try may last as long as the client's timeout
_CACHED = re.compile(
    r"(?P<cache>.*)/datasets--(?P<owner>[^/]+?)--(?P<name>[^/]+)/snapshots/(?P<commit>[0-9a-f]{40})/(?P<path>.+)"
)


def download(
    repository: str,
    path: str,
    revision: str | None = None,
    token: Token = None,
    *,
    anew: bool = False,
    cache: Path | None = None,
) -> Path:
    """Return a file of a dataset repository, in the Hub's cache; a broken or damaged download is repeated.

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
    if anew:
        require_answer(f"{path} of {repository}")

    def get() -> Path:
        why = silence()
        with explained(repository, revision, path, token, why):
            return Path(
                hub.hf_hub_download(
                    repository,
                    path,
                    repo_type="dataset",
                    revision=revision,
                    token=token,
                    force_download=anew,
                    cache_dir=cache,
                    local_files_only=why is not None,
                )
            )

    return _patience()("download", get)


def _patience(within: float = math.inf) -> Patience:
    return Patience(attempts=6, first=_FIRST_PAUSE, within=within, passes=was_broken_off)


def is_whole(file: Path) -> bool:
    """Return whether a file in the Hub's cache is what the Hub says of it; True where the cache does not know.

    The cache names content by what the Hub says of it: its SHA-256, or, of small files, its blob id in Git.
    """
    name = file.resolve().name
    if re.fullmatch("[0-9a-f]{64}", name):
        return sha256_of(file) == name
    if re.fullmatch("[0-9a-f]{40}", name):
        return git_blob_id(file.read_bytes()) == name  # Git itself keeps no file above 10 MB on the Hub
    return True


def mend(file: Path, token: Token = None) -> bool:
    """Download a damaged file of the Hub's cache once more; return whether that was needed and possible."""
    cached = cached_file(file)
    if cached is None or not file.is_file() or is_whole(file):
        return False
    try:
        download(cached.repository, cached.path, cached.commit, token, anew=True, cache=cached.cache)
    except (AccessError, IntegrityError, NotFoundError, UnreachableError):
        return False
    return True


@dataclass(frozen=True)
class CachedFile:
    """One file of a dataset repository at one commit, in the cache folder `cache`."""

    cache: Path
    repository: str
    commit: str
    path: str


def cached_file(file: Path) -> CachedFile | None:
    """Return the file that a path in the Hub's cache stands for; None for any other path."""
    match = _CACHED.fullmatch(file.as_posix())  # greedy: the cache itself may be in a folder of such names
    if match is None:
        return None
    return CachedFile(Path(match["cache"]), f"{match['owner']}/{match['name']}", match["commit"], match["path"])


def snapshot_commit(file: Path) -> str | None:
    """Return the commit which a file in the Hub's cache belongs to; None for any other file."""
    cached = cached_file(file)
    return None if cached is None else cached.commit


def cached_commit(repository: str, revision: str) -> str | None:
    """Return the commit that a branch or tag had when something of it was last downloaded."""
    with contextlib.suppress(errors.LocalEntryNotFoundError):
        folder = hub.snapshot_download(repository, repo_type="dataset", revision=revision, local_files_only=True)
        return Path(folder).name
    return None


@contextlib.contextmanager
def without_bars() -> Iterator[None]:
    """Turn off the bars of the Hub's client meanwhile: it shows one for each of hundreds of files.

    They also know nothing of the switch of `datasets`.
    """
    if are_progress_bars_disabled(_LIBRARY):
        yield
        return
    disable_progress_bars(_LIBRARY)
    try:
        yield
    finally:
        enable_progress_bars(_LIBRARY)


def remote_address(repository: str, path: str, revision: str | None) -> str:
    """Return the `hf://` address of a file."""
    return f"{SCHEME}datasets/{repository}{'@' + revision.replace('/', '%2F') if revision else ''}/{path}"


def open_file(address: str, token: Token = None) -> BinaryIO:
    """Open a local path, or an `hf://` address that is read in pieces as they are needed."""
    if not address.startswith(SCHEME):
        return open_local(address)
    return cast(BinaryIO, io.BufferedReader(_RemoteFile(address.removeprefix(SCHEME), token), 2**20))


class _RemoteFile(io.RawIOBase):
    """A file on the Hub; a read that fails is tried again, with growing pauses and for a while only.

    The client's own attempts would multiply with these, up to minutes.
    """

    def __init__(self, address: str, token: Token) -> None:
        self._address, self._token = address, token
        self._position = 0
        self._file = self._open()
        self._size = int(self._file.size)

    def _open(self) -> Any:
        require_answer(self._address)
        with self._explained():
            file = hub.HfFileSystem(token=self._token).open(self._address, "rb", block_size=2**20)
        file.cache.fetcher = functools.partial(self._fetch, file.url())
        return file

    def _fetch(self, url: str, start: int, end: int) -> bytes:
        headers = {**build_hf_headers(token=self._token), "Range": f"bytes={start}-{end - 1}"}
        answer = get_session().get(url, headers=headers, timeout=hub.constants.HF_HUB_DOWNLOAD_TIMEOUT)
        hf_raise_for_status(answer)
        if len(answer.content) != end - start:
            raise ConnectionError(f"{len(answer.content)} of {end - start} bytes arrived")
        return answer.content

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
        def read() -> bytes:
            with self._explained():
                self._file.seek(self._position)
                return cast(bytes, self._file.read(count))

        return _patience(within=_PATIENCE)("read", read)
