"""Answers of a classifier: for each item and condition a class, or the reason for showing nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

NONE = -1  # the classifier said something that is none of the classes
NOT_SHOWN = -2


class Paired(NamedTuple):
    """The answers to items that were shown in all of some conditions.

    Attributes:
        items: their numbers, int64.
        labels: class of each, int64.
        sources: source image of each.
        correct: 1 for right and 0 for wrong answers, items x conditions.
        left_out: items that were not, by reason.
    """

    items: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    sources: Sequence[str]
    correct: npt.NDArray[np.float64]
    left_out: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """The answers of one classifier; arrays are items x conditions.

    Attributes:
        conditions: names of the conditions.
        keys: name of each item.
        sources: key of the source image of each item.
        labels: class of each item, int64.
        class_names: names of the classes.
        predicted: int32: the class, `NONE` or `NOT_SHOWN`.
        probability: float32, 0 to 1, of the item's class; NaN where it was not shown.
        backgrounds: int32: class of the background, -1 where it is the item's own or not known.
        background_keys: key of the image that the background comes from; empty: the item's own, or not known.
        reasons: why an item was not shown, by (item, condition).
    """

    conditions: Sequence[str]
    keys: Sequence[str]
    sources: Sequence[str]
    labels: npt.NDArray[np.int64]
    class_names: Sequence[str]
    predicted: npt.NDArray[np.int32]
    probability: npt.NDArray[np.float32]
    backgrounds: npt.NDArray[np.int32]
    background_keys: npt.NDArray[np.str_]
    reasons: Mapping[tuple[int, int], str]

    def columns(self, *conditions: str) -> list[int]:
        """Return the numbers of these conditions."""
        return [self.conditions.index(name) for name in conditions]

    def complete(self, *conditions: str) -> npt.NDArray[np.bool_]:
        """Return which items (bool) were shown in all of these conditions."""
        shown: npt.NDArray[np.bool_] = (self.predicted[:, self.columns(*conditions)] != NOT_SHOWN).all(axis=1)
        return shown

    def correct(self, *conditions: str) -> npt.NDArray[np.float64]:
        """Return 1 for right and 0 for wrong answers, items x these conditions; for items that are complete."""
        right: npt.NDArray[np.bool_] = self.predicted[:, self.columns(*conditions)] == self.labels[:, None]
        return right.astype(np.float64)

    def left_out(self, *conditions: str) -> dict[str, int]:
        """Return how many items are not complete, by the first reason of each."""
        counts: Counter[str] = Counter()
        for item in np.flatnonzero(~self.complete(*conditions)):
            reasons = (self.reasons.get((int(item), column)) for column in self.columns(*conditions))
            counts[next(filter(None, reasons), "not shown")] += 1
        return dict(counts)

    def paired(self, *conditions: str, without: Mapping[int, str] | None = None) -> Paired:
        """Return the answers to the items that are complete, less those (by number) that a reason is given for."""
        complete, left_out = self.complete(*conditions), Counter(self.left_out(*conditions))
        for item, reason in (without or {}).items():
            left_out[reason] += bool(complete[item])
            complete[item] = False
        items = np.flatnonzero(complete)
        sources = [self.sources[item] for item in items.tolist()]
        return Paired(items, self.labels[items], sources, self.correct(*conditions)[items], dict(+left_out))
