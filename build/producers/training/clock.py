"""The time that a training takes, on which none of its results depends."""

from __future__ import annotations

import time


class Clock:
    """Seconds and speed.

    Args:
        seconds: of all commands before this one.
        step: from which this one goes on.
    """

    def __init__(self, seconds: float, step: int) -> None:
        self._before, self._started = seconds, time.monotonic()
        self._saved, self._last = self._started, (self._started, step)

    @property
    def seconds(self) -> float:
        """The seconds of all commands until now."""
        return self._before + time.monotonic() - self._started

    @property
    def since_saved(self) -> float:
        """The seconds since `note_save`."""
        return time.monotonic() - self._saved

    def note_save(self) -> None:
        """Begin to count anew."""
        self._saved = time.monotonic()

    def speed(self, step: int) -> float:
        """Return the steps per second since the last call."""
        (then, first), now = self._last, time.monotonic()
        self._last = now, step
        return (step - first) / max(now - then, 1e-9)
