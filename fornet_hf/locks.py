"""Locks on files, which end with their process, however that ends."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from fornet_hf.errors import ConfigurationError, explain


def lock(file: BinaryIO, *, wait: bool, shared: bool = False) -> bool:
    """Lock an open file until it is closed or the process ends; returns False where there are no locks.

    Args:
        file: of this process alone, even if others open the same path.
        wait: until nobody else has it.
        shared: with others who share it.

    Raises:
        BlockingIOError: it is locked, and `wait` is False.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise
    except OSError:  # a file system without locks
        return False
    return True


@contextlib.contextmanager
def alone(path: Path, taken: str = "") -> Iterator[None]:
    """Hold the lock of a file, which is there meanwhile. It must not be in a folder that is deleted meanwhile: on NFS
    a folder with an open file cannot be.

    Args:
        path: of the file.
        taken: raised as an error if another process has the lock; without it, wait.

    Raises:
        ConfigurationError: another process has it.
    """
    try:
        file = _locked(path, wait=not taken, shared=False)
    except BlockingIOError as error:
        raise ConfigurationError(explain(taken, then="Wait for it to end, or name another folder.")) from error
    with file:
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # while it is locked, so that nobody's lock is removed
                path.unlink()


@contextlib.contextmanager
def together(path: Path) -> Iterator[Callable[[], bool]]:
    """Share the lock of a file, and yield a function that says whether nobody else does; then the file is deleted."""
    with _locked(path, wait=True, shared=True) as file:

        def last() -> bool:
            try:
                lock(file, wait=False)
            except BlockingIOError:
                return False
            path.unlink(missing_ok=True)
            return True

        yield last


def _locked(path: Path, *, wait: bool, shared: bool) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = path.open("ab")
        try:
            lock(file, wait=wait, shared=shared)
            if _is_at(path, file):
                return file
        except BaseException:
            file.close()
            raise
        file.close()  # its owner removed it between opening and locking


def _is_at(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
