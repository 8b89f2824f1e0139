"""Files that are either complete or not there."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

Open = Callable[[str], BinaryIO]

_CHUNK = 2**20


def open_local(path: str) -> BinaryIO:
    """Open a local file for reading bytes."""
    return Path(path).open("rb")


@contextlib.contextmanager
def atomic_path(path: Path, *, work: Path | None = None) -> Iterator[Path]:
    """A temporary path; what was written to it is synced and renamed to `path` at the end.

    After an exception, or a killed process, `path` is as it was before. A killed process leaves its temporary
    file, which all others ignore.

    Args:
        path: the file to be written; the folders above it are made.
        work: a folder of the same file system which takes the temporary file and which somebody clears; if None,
            it lies beside `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = (work or path.parent) / f".{path.name}.{os.getpid()}.tmp"
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str, *, work: Path | None = None) -> None:
    """Write a whole UTF-8 file atomically; the arguments are those of `atomic_path`."""
    with atomic_path(path, work=work) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes as 64 hexadecimal digits, in constant memory."""
    result = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            result.update(chunk)
    return result.hexdigest()
