"""The folder of what is not finished: one run at a time writes there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from fornet_hf.errors import ConfigurationError, explain


@contextlib.contextmanager
def alone_in(work: Path, what: str) -> Iterator[None]:
    """Make the folder `work`, clear it of temporary files that a killed run left, and keep other runs out.

    Args:
        work: the folder.
        what: what is being written, for the message.

    Raises:
        ConfigurationError: another run is at work there.
    """
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("ab") as file:
        try:
            _lock(file)
        except BlockingIOError as error:
            then = "Wait for it to end, or name another folder."
            raise ConfigurationError(explain(f"another run writes {what}", then=then)) from error
        except OSError:  # a file system without locks
            pass
        for leftover in work.glob("*.tmp"):
            leftover.unlink(missing_ok=True)
        yield


def _lock(file: BinaryIO) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
