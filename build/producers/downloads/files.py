"""A file from its address: resumed where it broke off, whole, and with the digest that it should have."""

from __future__ import annotations

import http.client
import math
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from fornet_hf.errors import ForNetError, IntegrityError, NotFoundError, UnreachableError, explain
from fornet_hf.files import readable_bytes, storage_error, stored
from fornet_hf.hub.retry import Patience
from fornet_hf.progress import progress

_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_SILENCE = 60.0  # seconds without a byte after which a connection counts as broken
_CHUNK = 2**20
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_UNSATISFIABLE = 416


def fetch(
    address: str,
    path: Path,
    say: Callable[[str], None],
    patience: Patience | None = None,
    check: Callable[[Path], None] = lambda _: None,
) -> None:
    """Download a file to a path, or what is missing of it; nothing is at the path before all of it is there.

    Args:
        address: http or https.
        path: of the file.
        say: gets lines of progress.
        patience: for what fails; default: seven attempts.
        check: raises an IntegrityError if the whole file, still at another path, is not the one that is wanted.

    Raises:
        NotFoundError: there is no such file.
        UnreachableError: the server refuses it or cannot be reached, after all attempts.
        StorageError: the disk is full, or cannot be written.
        IntegrityError: `check` refuses the file, which is deleted.
    """
    part = path.with_name(f"{path.name}.part")
    patience = patience or Patience(passes=_passes, say=say)
    with stored(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            patience(path.name, lambda: _attempt(address, part, say))
        except ForNetError:
            raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, OSError) and not _of_http(error) and storage_error(error, path):
                raise
            raise _explained(address, path, error) from error
        try:
            check(part)
        except IntegrityError:
            part.unlink()
            _mark(part).unlink(missing_ok=True)
            raise
        part.replace(path)
        _mark(part).unlink(missing_ok=True)


def _attempt(address: str, part: Path, say: Callable[[str], None]) -> None:
    """Read what is missing.

    Raises:
        ConnectionError: the connection ended before the file did.
        UnreachableError: a page came in place of the file.
    """
    mark = _mark(part)
    # Without the server's name for its version, what is there could be of another file.
    have = part.stat().st_size if part.is_file() and mark.is_file() else 0
    answer = _opened(address, part, have)
    if answer is None:
        return  # all of it was there
    with answer:
        if answer.headers.get_content_type() == "text/html":
            then = "Open the address in a browser: the file may have moved, or a network may want you to log in."
            raise UnreachableError(explain("a page came in place of a file", found=answer.url, then=then))
        start, size = _extent(answer, have)
        version = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        if not start:
            part.unlink(missing_ok=True)  # before its mark changes
            mark.unlink(missing_ok=True)
        if version and not version.startswith("W/"):
            mark.write_text(version)
        whole = "" if size is None else f" of {readable_bytes(size)}"
        say(f"{part.stem}: " + (f"going on at {readable_bytes(start)}{whole}" if start else f"fetching{whole}"))
        blocks = None if size is None else math.ceil((size - start) / _CHUNK)
        with part.open("ab" if start else "wb") as file:
            for block in progress(iter(partial(answer.read, _CHUNK), b""), part.stem, "MiB", blocks):
                file.write(block)
    if size is not None and (found := part.stat().st_size) != size:
        raise ConnectionError(f"{found} of {size} bytes arrived")


def _opened(address: str, part: Path, have: int) -> Any:
    """Return the answer to a request for what follows on the first bytes; None: nothing does."""
    headers = {"User-Agent": "fornet-hf", "Accept-Encoding": "identity"}
    if have:
        # With the second, another file is sent from its beginning.
        headers |= {"Range": f"bytes={have}-", "If-Range": _mark(part).read_text()}
    try:
        return urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=_SILENCE)  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code != _UNSATISFIABLE or not have:
            raise
        if error.headers.get("Content-Range") == f"bytes */{have}":
            return None
        part.unlink(missing_ok=True)
        raise ConnectionError("what was there is more than the file, so it begins anew") from error


def _extent(answer: Any, have: int) -> tuple[int, int | None]:
    """Return where the answer begins in the file, and the bytes of the whole file, if they are known."""
    match = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if answer.status == http.client.PARTIAL_CONTENT:
        if match is None or int(match[1]) != have:
            raise ConnectionError(f"another part than was asked for: {answer.headers.get('Content-Range')}")
        return have, int(match[2])
    length = answer.headers.get("Content-Length")
    return 0, int(length) if length else None


def _mark(part: Path) -> Path:
    """Return the file that keeps what the server calls this version of the file."""
    return part.with_name(f"{part.name}.version")


def _passes(error: BaseException) -> bool:
    if isinstance(error, urllib.error.HTTPError):
        return error.code in _TRANSIENT
    if isinstance(error, ForNetError):  # of which some are ConnectionErrors
        return False
    return isinstance(error, urllib.error.URLError | ConnectionError | TimeoutError | http.client.HTTPException)


def _of_http(error: OSError) -> bool:
    return isinstance(error, urllib.error.URLError)


def _explained(address: str, path: Path, error: Exception) -> ForNetError:
    if isinstance(error, urllib.error.HTTPError) and error.code in (404, 410):
        then = f"Look for its new place, put it at {path}, and run the same command again, which checks it."
        return NotFoundError(
            explain(f"there is no file at {address} any more", found=f"status {error.code}", then=then)
        )
    then = "Check the connection and run the same command again: it goes on where it stopped."
    return UnreachableError(explain(f"cannot fetch {address}", found=f"{type(error).__name__}: {error}", then=then))
