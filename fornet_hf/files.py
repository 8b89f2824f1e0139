"""Files that are either complete or not there, their digests and sizes."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from fornet_hf.errors import ForNetError, PatchFormatError, StorageError, explain
from fornet_hf.locks import lock

Open = Callable[[str], BinaryIO]

MAX_DOCUMENT_BYTES = 2**24  # ImageNet's manifest has 100 kB
_CHUNK = 2**20
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # the disk, or what this user or a file may have of it
_PROTECTED = {errno.EROFS, errno.EACCES, errno.EPERM}


def open_local(path: str) -> BinaryIO:
    """Open a local file for reading bytes."""
    return Path(path).open("rb")


@contextlib.contextmanager
def stored(path: Path) -> Iterator[None]:
    """Raise a StorageError that names the path if a disk is full, or protected, where it is written meanwhile."""
    try:
        yield
    except ForNetError:
        raise
    except OSError as error:
        ours = storage_error(error, path)
        if ours is None:
            raise
        raise ours from error


def storage_error(error: OSError, path: Path, elsewhere: str | None = None) -> StorageError | None:
    """Return our error if this one says that `path` cannot be written: the disk is full, or protected.

    Args:
        error: what was raised.
        path: of the file that was being written, or of one beside it.
        elsewhere: what to do about it that `path` itself does not tell.
    """
    named = error.filename2 or error.filename  # of two, what was copied or renamed to
    beside = named is None or Path(named).parent == path.parent  # temporary files are
    reason = f"{path if beside else named} ({error.strerror})"
    if error.errno in _FULL:
        again = "Free some space, and run it again: it goes on where it was."
        then = f"Free some space, or {elsewhere}." if elsewhere else again
        return StorageError(explain("the disk is full", found=reason, then=then))
    if error.errno in _PROTECTED and _concerns(path, named):
        then = f"Let this user write here, or {elsewhere or 'name another folder'}."
        return StorageError(explain("this cannot be written", found=reason, then=then))
    return None


def _concerns(path: Path, named: object) -> bool:
    """Return whether an error that names this file is about writing `path`: a folder of it, or a file beside it."""
    if not isinstance(named, str | os.PathLike):
        return named is None
    return path.is_relative_to(named) or Path(named).is_relative_to(path.parent)


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; at the end, what was written to it is synced and renamed to `path`.

    After an exception, or a killed process, `path` is as it was before. What killed processes left of earlier
    attempts is deleted, where the file system can tell that nobody writes it any more.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    with stored(path):
        yield from _atomic_path(path)


@contextlib.contextmanager
def whole_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path that is renamed to `path` at the end, for one of many small files.

    It is not synced, as it can be made again, and no one else may write the same file meanwhile. A killed process
    leaves the temporary file behind, which the next one that makes `path` writes anew.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    with stored(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.tmp")
        yield temporary
        temporary.replace(path)


def _atomic_path(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    clear_leftovers(path)
    with _reserved(path) as temporary:
        mode = temporary.stat().st_mode
        try:
            yield temporary
            temporary.chmod(mode)  # safetensors puts a file there that only its owner may read
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def clear_leftovers(path: Path) -> None:
    """Delete temporary files of `atomic_path(path)` whose process has ended."""
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        with contextlib.suppress(OSError), leftover.open("rb+") as file:  # gone meanwhile, or being written
            if lock(file, wait=False):
                leftover.unlink()


@contextlib.contextmanager
def _reserved(path: Path) -> Iterator[Path]:
    """Yield a new temporary file, locked as long as this process lives and needs it."""
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        with temporary.open("xb") as file:
            if not lock(file, wait=True):
                break
            if temporary.exists():  # nobody took it for a leftover before it was locked
                yield temporary
                return
    yield temporary  # without locks: nobody deletes it, and Windows does not rename open files


def write_text(path: Path, text: str) -> None:
    """Write a whole UTF-8 file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def read_document(file: BinaryIO, name: object, max_bytes: int = MAX_DOCUMENT_BYTES) -> bytes:
    """Return the bytes of a file from the network, of which no more than `max_bytes` + 1 are read.

    Raises:
        PatchFormatError: it has more than that; the message begins with `name`.
    """
    data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        found, allowed = f"more than {max_bytes} bytes", f"{max_bytes} bytes"
        raise PatchFormatError(explain(f"{name}: too large", found=found, allowed=allowed))
    return data


def read_json(file: BinaryIO, name: object, max_bytes: int = MAX_DOCUMENT_BYTES, **options: Any) -> Any:
    """Return the value in a JSON file from the network; `options` are those of `json.loads`.

    Raises:
        PatchFormatError: it is too large, or not valid JSON.
    """
    data = read_document(file, name, max_bytes)
    try:
        return json.loads(data, **options)
    except (ValueError, RecursionError) as error:
        raise PatchFormatError(explain(f"{name}: not valid JSON", found=error)) from error


def git_blob_id(data: bytes) -> str:
    """Return the id by which Git, and so the Hub, names a file with these bytes: 40 hexadecimal digits."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hexadecimal digits, in constant memory."""
    result = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            result.update(chunk)
    return result.hexdigest()


def readable_bytes(count: float) -> str:
    """Return a size as people write it: 1.5 MB."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
