"""The contract of a measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from fornet_hf.evaluation.conditions import Condition
from fornet_hf.evaluation.predictions import Predictions
from fornet_hf.evaluation.statistics import Bootstrap
from fornet_hf.evaluation.values import Value


class Measure(Protocol):
    """A measure that follows from a classifier's answers."""

    @property
    def name(self) -> str:
        """Name in commands and results."""

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """Conditions that it needs, by name; measures share those of one name, which then are equal."""

    def values(self, predictions: Predictions, bootstrap: Bootstrap) -> Sequence[Value]:
        """Return its numbers; items that were not shown in all of its conditions are left out and counted."""
        ...
