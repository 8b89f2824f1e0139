"""The folder of what is not finished: one run at a time writes there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.files import lock
from fornet_hf.local.layout import Layout


@contextlib.contextmanager
def alone_in(work: Path, layout: Layout) -> Iterator[None]:
    """Make the folder `work`, clear it of temporary files that a killed run left, and keep other runs out.

    Args:
        work: the folder.
        layout: what is being written, for the message.

    Raises:
        ConfigurationError: another run is at work there.
    """
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("ab") as file:
        try:
            lock(file, wait=False)
        except BlockingIOError as error:
            then = "Wait for it to end, or name another folder."
            what = f"another run writes the {layout.split} split to {layout.root}"
            raise ConfigurationError(explain(what, then=then)) from error
        for leftover in work.glob("*.tmp"):
            leftover.unlink(missing_ok=True)
        yield
