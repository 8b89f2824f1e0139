"""Answers of a classifier: for each item and condition a class, or the reason for showing nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fornet_hf.evaluation.labels import NO_LABEL
from fornet_hf.evaluation.stimuli.protocol import Shown, Stimuli

NOT_SHOWN = -2
SCHEMA = pa.schema(
    {
        "item": pa.int32(),
        "condition": pa.int32(),
        "predicted": pa.int32(),
        "probability": pa.float32(),
        "background": pa.int32(),
        "background_key": pa.string(),
        "reason": pa.string(),
    }
)
"""Of answers that are kept: a row for each item and condition."""


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
        predicted: int32: the class, `NO_LABEL` or `NOT_SHOWN`.
        probability: float32, 0 to 1, of the item's class; NaN where it was not shown.
        backgrounds: int32: class of the background, `NO_LABEL` where it is the item's own or not known.
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


class Answers:
    """The answers of one classifier so far; arrays are items x conditions, as in `Predictions`."""

    def __init__(self, stimuli: Stimuli) -> None:
        shape = len(stimuli.keys), len(stimuli.conditions)
        self._stimuli = stimuli
        self.predicted = np.full(shape, NOT_SHOWN, np.int32)
        self.probability = np.full(shape, np.nan, np.float32)
        self._backgrounds = np.full(shape, NO_LABEL, np.int32)
        self._background_keys = np.full(shape, "", object)
        self._reasons: dict[tuple[int, int], str] = {}

    def show(self, item: int, shown: Shown) -> None:
        """Note what an item is shown on, or why it is not shown."""
        for view in shown.views:
            self._backgrounds[item, view.condition] = view.background_label
            self._background_keys[item, view.condition] = view.background
        self._reasons.update({(item, condition): reason for condition, reason in shown.missing.items()})

    def table(self, items: range) -> pa.Table:
        """Return the answers to some items, by `SCHEMA`."""
        rows = slice(items.start, items.stop)
        numbers, conditions = np.mgrid[rows, : self.predicted.shape[1]]
        places = zip(numbers.ravel().tolist(), conditions.ravel().tolist(), strict=True)
        values: list[Any] = [numbers, conditions, self.predicted[rows], self.probability[rows]]
        values += [self._backgrounds[rows], self._background_keys[rows]]
        arrays = [array.ravel() for array in values] + [[self._reasons.get(place, "") for place in places]]
        return pa.table(dict(zip(SCHEMA.names, arrays, strict=True)), SCHEMA)

    def add(self, table: pa.Table) -> None:
        """Take over the answers of a table."""
        column = {name: table[name].to_numpy() for name in table.column_names}
        places = column["item"], column["condition"]
        self.predicted[places] = column["predicted"]
        self.probability[places] = column["probability"]
        self._backgrounds[places] = column["background"]
        self._background_keys[places] = column["background_key"]
        named = zip(*(one.tolist() for one in places), column["reason"], strict=True)
        self._reasons.update({(item, condition): reason for item, condition, reason in named if reason})

    def predictions(self) -> Predictions:
        """Return them when all have come in."""
        stimuli = self._stimuli
        return Predictions(
            conditions=stimuli.conditions,
            keys=stimuli.keys,
            sources=stimuli.sources,
            labels=stimuli.labels,
            class_names=stimuli.class_names,
            predicted=self.predicted,
            probability=self.probability,
            backgrounds=self._backgrounds,
            background_keys=self._background_keys.astype(np.str_),
            reasons=self._reasons,
        )
