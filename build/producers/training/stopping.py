"""An end of a training before its last step that loses nothing: by a signal, or when its time is over."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """A context in which the first SIGINT or SIGTERM only asks for an end; the second one is as without it.

    Attributes:
        interrupted: whether there was a signal.
    """

    def __init__(self, minutes: float | None = None) -> None:
        """Begin to count.

        Args:
            minutes: after which to end, from now on; None: no such time.
        """
        self.interrupted = False
        self._until = None if minutes is None else time.monotonic() + 60 * minutes
        self._before: dict[int, Any] = {}

    @property
    def due(self) -> bool:
        """True if the training is to end now."""
        return self.interrupted or (self._until is not None and time.monotonic() >= self._until)

    def __enter__(self) -> Stopping:
        if threading.current_thread() is threading.main_thread():  # no other may have handlers
            self._before = {one: signal.signal(one, self._note) for one in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.interrupted = True
        self._restore()

    def _restore(self) -> None:
        for one, handler in self._before.items():
            signal.signal(one, handler)
        self._before = {}
