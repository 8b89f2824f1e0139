"""The backgrounds of a stream: a bounded sample of what has gone by."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.recombination.draw.sampling import BackgroundShape
from fornet_hf.recombination.pixels.decoding import ImageLike, encoded, size_of
from fornet_hf.recombination.pools.pool import Pool

_ENOUGH = 100  # backgrounds, to say that a stream has none which pruning leaves


class _Entry(NamedTuple):
    key: str
    image: ImageLike
    ratio: float


class StreamPool(Pool):
    """A random sample of the backgrounds of a stream, overall or for each class; bounded in size.

    When it is full, every background that comes takes the place of a random one. So each stays for a random time,
    and an epoch shows more different backgrounds than a sample of all that has gone by, which hardly changes any
    more after a while.

    Args:
        size: backgrounds to keep at most; by class, at least one each.
        pruning_ratio: backgrounds whose object took at least this share are only kept where a class has no others.
        by_class: whether each class has its own.
        random: decides which ones leave.
    """

    def __init__(self, size: int, pruning_ratio: float, *, by_class: bool, random: np.random.Generator) -> None:
        self._size, self._pruning_ratio, self._by_class = size, pruning_ratio, by_class
        self._kept: dict[int | None, list[_Entry]] = {}
        self._pruned: dict[int | None, _Entry] = {}  # of classes that have nothing else
        self._last: _Entry | None = None
        self._random = random
        self._picked: _Entry | None = None
        self._seen, self._least = 0, math.inf

    def add(self, row: Mapping[str, Any]) -> None:
        """Let the background of a row go by."""
        image = encoded(row["background"])
        if image is None:
            return
        label = row["label"] if self._by_class else None
        self._last = entry = _Entry(row["key"], image, row["foreground_ratio"] or 0.0)
        self._seen, self._least = self._seen + 1, min(self._least, entry.ratio)
        if entry.ratio >= self._pruning_ratio:
            if label not in self._kept:
                self._pruned[label] = entry
            return
        self._pruned.pop(label, None)
        if label not in self._kept:
            self._kept[label] = []
            self._make_room()
        kept = self._kept[label]
        if len(kept) < self._room:
            kept.append(entry)
        else:
            kept[self._chosen(kept)] = entry

    @property
    def least_pruned(self) -> float | None:
        """The smallest share that an object has, if pruning left none of the first backgrounds; else None."""
        return None if self._kept or self._seen < _ENOUGH else self._least

    @property
    def _room(self) -> int:
        return max(1, self._size // len(self._kept))

    def _make_room(self) -> None:
        """Make room for one more class: the others give up what they have too much."""
        for kept in self._kept.values():
            while len(kept) > self._room:
                kept.pop(self._chosen(kept))

    def _chosen(self, kept: Sequence[_Entry]) -> int:
        return int(self._random.random() * len(kept))

    def pick(self, chance: float, label: int | None) -> BackgroundShape:
        """Return the background at the share `chance` of those of class `label`; None: of all.

        Where pruning left none of the class, the latest of it that went by; where none went by, the latest of all.

        Raises:
            ConfigurationError: none went by.
        """
        label = label if self._by_class else None
        kept = self._kept.get(label)
        entry = kept[int(chance * len(kept))] if kept else self._pruned.get(label, self._last)
        if entry is None:
            raise ConfigurationError(
                explain("no background has gone by yet", then="Let the stream start with a row that has one.")
            )
        self._picked = entry
        return BackgroundShape(0, *size_of(entry.image), entry.ratio)

    def read(self, row: int) -> ImageLike:
        """Return the background picked last. Places in the sample are no lasting numbers: `row` is always 0."""
        return self._latest(row).image

    def key(self, row: int) -> str:
        """Return the key of the row which it belongs to."""
        return self._latest(row).key

    def _latest(self, row: int) -> _Entry:
        if self._picked is None:
            raise ConfigurationError(explain("no background was picked", found=f"row {row}"))
        return self._picked
