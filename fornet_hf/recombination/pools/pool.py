"""Pools of backgrounds: what any can do, and those with random access, which choose by a selection."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.recombination.draw.sampling import BackgroundShape
from fornet_hf.recombination.pixels.decoding import ImageLike, size_of


class Pool(ABC):
    """The backgrounds that a recombination chooses from."""

    @property
    @abstractmethod
    def least_pruned(self) -> float | None:
        """The smallest share that an object has, if pruning would leave no background; else None."""

    @abstractmethod
    def pick(self, chance: float, label: int | None) -> BackgroundShape:
        """Return the background at the share `chance` (0 to below 1) of those of class `label`; None: of all."""

    @abstractmethod
    def read(self, row: int) -> ImageLike:
        """Return the background `row`, as its bytes where it still has them."""

    @abstractmethod
    def key(self, row: int) -> str:
        """Return the key of the row which that background belongs to."""


class SelectedPool(Pool):
    """Backgrounds of which `selection` says which are chosen; where they are kept is left open."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._last: tuple[int, bytes] | None = None

    @property
    def least_pruned(self) -> float | None:
        """The smallest share that an object has, if pruning would have left no background; else None."""
        return self._selection.least_pruned

    def pick(self, chance: float, label: int | None) -> BackgroundShape:
        """Return the background at the share `chance` of those of class `label`; None: of all classes."""
        row = self._selection.row(chance, label)
        return BackgroundShape(row, *size_of(self.read(row)), self.ratio(row))

    def read(self, row: int) -> bytes:
        """Return the bytes of the background of that row of the pool."""
        last = self._last  # once, for another thread may replace it
        if last is None or last[0] != row:  # picked for its size, then read for its pixels
            self._last = last = row, self._fetch(row)
        return last[1]

    @abstractmethod
    def _fetch(self, row: int) -> bytes:
        """Return the bytes of a background, from where they are kept."""

    @abstractmethod
    def ratio(self, row: int) -> float:
        """Return the area of the object that was removed from that background / its area."""


class Selection:
    """The backgrounds that are chosen from, ordered by key: the order of the rows has no effect.

    Backgrounds of images whose object covered `pruning_ratio` or more are not chosen. A class that this leaves
    without any keeps all of its own; a class that never had one draws from all classes; a pool which pruning
    leaves empty is not pruned.

    Args:
        keys: of all rows; a string each, none twice.
        labels: of all rows, int64; below 0: no class.
        ratios: area of the object / area of the image of all rows, 0 to 1.
        present: whether a row has a background; at least one has.
        pruning_ratio: see above.

    Attributes:
        least_pruned: the smallest of the ratios if pruning would have left none; else None.

    Raises:
        ConfigurationError: a ratio is no share.
    """

    def __init__(
        self,
        keys: pa.Array | pa.ChunkedArray,
        labels: npt.NDArray[np.int64],
        ratios: npt.NDArray[np.float32],
        present: npt.NDArray[np.bool_],
        pruning_ratio: float,
    ) -> None:
        flat = keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
        wrong = np.flatnonzero(present & ~((ratios >= 0) & (ratios <= 1)))  # NaN is wrong, too
        if len(wrong):
            found = f"{ratios[wrong[0]]} of {flat[int(wrong[0])]}, {len(wrong)} in all"
            raise ConfigurationError(explain("a background's ratio is no share", found=found, allowed="0 to 1"))
        order = pc.sort_indices(flat).to_numpy().astype(np.int64)
        kept = present & (ratios < pruning_ratio)
        self.least_pruned = None if kept.any() or not present.any() else float(ratios[present].min())
        self._all: npt.NDArray[np.int64] = order[(kept if kept.any() else present)[order]]
        classes = np.bincount(labels[kept & (labels >= 0)], minlength=int(labels.max(initial=0)) + 1)
        kept |= present & (labels >= 0) & (classes[labels] == 0)
        rows = order[(kept & (labels >= 0))[order]]
        self._by_class: npt.NDArray[np.int64] = rows[np.argsort(labels[rows], kind="stable")]
        self._ends = np.cumsum(np.bincount(labels[rows], minlength=len(classes)))

    def row(self, chance: float, label: int | None) -> int:
        """Return the row at the share `chance` (0 to below 1) of those of class `label`; None: of all classes."""
        rows = self._all if label is None else self._of_class(label)
        return int(rows[int(chance * len(rows))])

    def _of_class(self, label: int) -> npt.NDArray[np.int64]:
        if not 0 <= label < len(self._ends):
            return self._all
        start = 0 if label == 0 else self._ends[label - 1]
        rows = self._by_class[start : self._ends[label]]
        return rows if len(rows) else self._all
