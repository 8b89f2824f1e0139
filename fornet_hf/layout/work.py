"""The folder of what is not finished: one run at a time writes there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.files import lock
from fornet_hf.layout.paths import KINDS, Layout


@contextlib.contextmanager
def alone_in(work: Path, layout: Layout) -> Iterator[None]:
    """Make the folder `work`, clear what killed runs left half-written, and keep other runs out.

    Args:
        work: the folder.
        layout: what is being written.

    Raises:
        ConfigurationError: another run is at work there.
    """
    layout.root.mkdir(parents=True, exist_ok=True)
    with _locked(layout):
        work.mkdir(parents=True, exist_ok=True)
        for folder in (work, *map(layout.folder, KINDS)):
            for leftover in folder.glob(".*.tmp"):
                leftover.unlink(missing_ok=True)
        yield


@contextlib.contextmanager
def _locked(layout: Layout) -> Iterator[None]:
    """Hold the lock of a split. Its file is not in `work`: on NFS a folder with an open file cannot be removed."""
    path = layout.root / f".{layout.split}.lock"
    while True:
        with path.open("ab") as file:
            try:
                lock(file, wait=False)
            except BlockingIOError as error:
                then = "Wait for it to end, or name another folder."
                what = f"another run writes the {layout.split} split to {layout.root}"
                raise ConfigurationError(explain(what, then=then)) from error
            if not _is_at(path, file):
                continue  # the run before removed it between opening and locking
            try:
                yield
            finally:
                with contextlib.suppress(OSError):  # while it is locked, so that nobody's lock is removed
                    path.unlink()
            return


def _is_at(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
