"""Epoch and number of epochs, shared with all workers.

Schedules over the epochs and seeded draws follow the epoch. DataLoader gives every worker its own copy of the
dataset, and persistent workers keep theirs for all epochs, so the numbers live in shared memory.
"""

from __future__ import annotations

import math
import multiprocessing
import warnings
from multiprocessing.context import get_spawning_popen
from typing import Any

from fornet_hf.arguments import plain
from fornet_hf.errors import ConfigurationError, explain

_TELL = "Before each epoch call fornet_hf.set_epoch(ds, epoch), which reaches all parts of a dataset."


class Clock:
    """Epoch (from 0) and number of epochs, in memory that forked and spawned workers share.

    Copies, and what the workers of a DataLoader get, show the same numbers for ever. Pickles made outside of
    starting a process (a hash, a file) hold the numbers of that moment.
    """

    def __init__(self, epoch: float = 0.0, epochs: float | None = None) -> None:
        self._cells = multiprocessing.RawArray("d", 4)  # epoch, epochs, passes in this epoch, whether that was told
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
        self._cells[0] = epoch = _checked("epoch", value, 0.0)
        self._cells[2] = 0.0
        if self.epochs is not None and epoch > self.epochs:
            what = f"epoch {epoch:g} is beyond the {self.epochs:g} epochs that were set: schedules stay at their end"
            _warn(explain(what, then="Set more: fornet_hf.set_epoch(ds, epoch, epochs=...)."))

    @property
    def epochs(self) -> float | None:
        """The number of epochs of the whole training; None if it was not said."""
        return float(self._cells[1]) or None

    @epochs.setter
    def epochs(self, value: float | None) -> None:
        self._cells[1] = 0.0 if value is None else _checked("epochs", value, 1.0)

    def advance(self, passes: float, allowed: int, then: str = _TELL) -> None:
        """Note that a part of a pass was made, or several; warn if that is more than `allowed` in one epoch.

        Epochs that were set on something that does not lead here (an attribute of joined datasets, say) cannot be
        seen. That the same epoch is passed over again and again can.
        """
        self._cells[2] += passes
        if self._cells[2] > allowed + 1e-6 and not self._cells[3]:
            self._cells[3] = 1.0
            what = f"pass {allowed + 1} over the rows in epoch {self.epoch:g}: examples or schedules repeat"
            _warn(explain(what, then=then))


def _with_cells(cells: Any) -> Clock:
    clock = Clock.__new__(Clock)
    clock._cells = cells  # noqa: SLF001
    return clock


def _warn(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=3)


def _checked(name: str, value: float, low: float) -> float:
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value < math.inf:
        raise ConfigurationError(explain(f"{name} is not allowed", found=repr(value), allowed=f"{low:g} or more"))
    return float(value)
