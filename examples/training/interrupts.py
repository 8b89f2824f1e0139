"""Ctrl-C between two steps, where nothing is half done."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

PATIENCE = 1.0  # seconds


class Stop:
    """A Ctrl-C that the training loop answers between two steps.

    An exception that comes anywhere gets lost in places that cannot raise one, such as hooks of a fork. So the first
    Ctrl-C is only remembered; one that comes later ends a step that hangs. A terminal sends it to all processes,
    and torchrun passes it on at once. Loading processes leave it to the one that they work for.
    """

    def __init__(self) -> None:
        self._process = os.getpid()
        self._since: float | None = None

    @property
    def wanted(self) -> bool:
        """True once somebody has pressed Ctrl-C."""
        return self._since is not None

    def check(self) -> None:
        """Raise KeyboardInterrupt if somebody pressed Ctrl-C."""
        if self.wanted:
            raise KeyboardInterrupt

    def notice(self, _number: int, _frame: FrameType | None) -> None:
        """Handle the signal."""
        if os.getpid() != self._process:
            return
        if self._since is None:
            self._since = time.monotonic()
        elif time.monotonic() - self._since > PATIENCE:
            raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[Stop]:
    """Let a block answer Ctrl-C by `Stop.check`.

    Raises:
        KeyboardInterrupt: also for what broke because other processes answered first.
    """
    stop = Stop()
    before = signal.signal(signal.SIGINT, stop.notice)
    try:
        yield stop
    except Exception:
        stop.check()
        raise
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN if stop.wanted else before)  # the process ends anyway
