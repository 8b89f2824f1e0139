"""What all pools with random access share: picking by a selection, and reading what was picked once."""

from __future__ import annotations

from abc import ABC, abstractmethod

from fornet_hf.recombination.draw.sampling import BackgroundShape
from fornet_hf.recombination.draw.selection import Selection
from fornet_hf.recombination.pixels.decoding import size_of


class SelectedPool(ABC):
    """Backgrounds of which `selection` says which are chosen; where they are kept is left open."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._last: tuple[int, bytes] | None = None

    @property
    def least_pruned(self) -> float | None:
        """The smallest share that an object has, if pruning would have left no background; else None."""
        return self._selection.least_pruned

    def pick(self, chance: float, label: int | None) -> BackgroundShape:
        """The background at the share `chance` (0 to below 1) of those of class `label`; None: of all classes."""
        row = self._selection.row(chance, label)
        return BackgroundShape(row, *size_of(self.read(row)), self.ratio(row))

    def read(self, row: int) -> bytes:
        """The bytes of the background of that row of the pool."""
        last = self._last  # once, for another thread may replace it
        if last is None or last[0] != row:  # picked for its size, then read for its pixels
            self._last = last = row, self._fetch(row)
        return last[1]

    @abstractmethod
    def _fetch(self, row: int) -> bytes:
        """The bytes of a background, from where they are kept."""

    @abstractmethod
    def ratio(self, row: int) -> float:
        """The area of the object that was removed from that background / its area."""

    @abstractmethod
    def key(self, row: int) -> str:
        """The key of the image which that background belongs to."""
