"""Epoch and number of epochs, shared with all workers.

Schedules over the epochs and seeded draws follow the epoch. DataLoader gives every worker its own copy of the
dataset, and persistent workers keep theirs for all epochs, so the numbers live in shared memory.
"""

from __future__ import annotations

import math
import multiprocessing
from multiprocessing.context import get_spawning_popen
from typing import Any

from fornet_hf.errors import ConfigurationError, explain


class Clock:
    """Epoch (from 0) and number of epochs, in memory that forked and spawned workers share.

    Copies, and what the workers of a DataLoader get, show the same numbers for ever. Pickles made outside of
    starting a process (a hash, a file) hold the numbers of that moment.
    """

    def __init__(self, epoch: float = 0.0, epochs: float | None = None) -> None:
        self._cells = multiprocessing.RawArray("d", 2)
        self.epoch = epoch
        self.epochs = epochs

    def __reduce__(self) -> tuple[Any, ...]:
        if get_spawning_popen() is not None:  # only then can the memory itself be handed over
            return _with_cells, (self._cells,)
        return Clock, (self.epoch, self.epochs)

    def __deepcopy__(self, memo: object) -> Clock:
        return self

    @property
    def epoch(self) -> float:
        """The current epoch, from 0."""
        return float(self._cells[0])

    @epoch.setter
    def epoch(self, value: float) -> None:
        self._cells[0] = _checked("epoch", value, 0.0)

    @property
    def epochs(self) -> float | None:
        """The number of epochs of the whole training; None if it was not said."""
        return float(self._cells[1]) or None

    @epochs.setter
    def epochs(self, value: float | None) -> None:
        self._cells[1] = 0.0 if value is None else _checked("epochs", value, 1.0)


def _with_cells(cells: Any) -> Clock:
    clock = Clock.__new__(Clock)
    clock._cells = cells  # noqa: SLF001
    return clock


def _checked(name: str, value: float, low: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value < math.inf:
        raise ConfigurationError(explain(f"{name} is not allowed", found=repr(value), allowed=f"{low:g} or more"))
    return float(value)
