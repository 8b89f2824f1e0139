"""Models side by side: their values by measure and part, and the best of them as far as intervals tell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from fornet_hf.evaluation.report.examples import Example
from fornet_hf.evaluation.report.wording import of_class
from fornet_hf.evaluation.statistics.values import Value


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One model and its values.

    Attributes:
        model: its name, as it was asked for.
        digest: of its weights.
        values: of all measures.
        precision: that it computed in.
        version: of this library.
        examples: images that say more than numbers.
    """

    model: str
    digest: str
    values: Sequence[Value]
    precision: str = ""
    version: str = ""
    examples: Sequence[Example] = ()

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], Value]:
        return {(value.measure, value.part): value for value in self.values}

    def get(self, measure: str, part: str = "") -> Value | None:
        """Return a value, if it was measured."""
        return self._by_name.get((measure, part))


class Compared(NamedTuple):
    """Attributes: `model` and `other`, by their numbers in a comparison; `value`, of the first less the other's."""

    model: int
    other: int
    value: Value


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Models that were measured on the same images.

    Attributes:
        data: name of the data set.
        split: of it.
        release: fingerprint of the data.
        seed: of draws and resamples.
        models: in the order in which they are shown.
        settings: further settings of the evaluation, by name.
        command: that makes these results again; empty: not known.
        differences: of models that were measured together.
    """

    data: str
    models: Sequence[Measured]
    split: str = ""
    release: str = ""
    seed: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    differences: Sequence[Compared] = ()

    @cached_property
    def measures(self) -> list[str]:
        """Names of all measures, in the order in which they come first."""
        return list(dict.fromkeys(value.measure for model in self.models for value in model.values))

    @cached_property
    def classes(self) -> int:
        """Number of classes that have values of their own."""
        parts = (of_class(value.measure, value.part) for model in self.models for value in model.values)
        return len({found[2] for found in parts if found is not None})

    def parts(self, measure: str) -> list[str]:
        """Return the parts of a measure that any model has, in the order in which they come first."""
        found = (value.part for model in self.models for value in model.values if value.measure == measure)
        return list(dict.fromkeys(found))

    def whole_parts(self, measure: str) -> list[str]:
        """Return the parts that are not about one class."""
        return [part for part in self.parts(measure) if of_class(measure, part) is None]

    def holding(self, part: str, *measures: str) -> str | None:
        """Return the first of these measures that has the part."""
        return next((measure for measure in measures if part in self.parts(measure)), None)

    def values(self, measure: str, part: str = "") -> list[Value | None]:
        """Return the value of each model; None: not measured."""
        return [model.get(measure, part) for model in self.models]


def best(values: Sequence[Value | None], ideal: float | None) -> int | None:
    """Return which value is certainly the best: its interval is nearer to the ideal than those of all others.

    Args:
        values: one for each model.
        ideal: infinite: the more the better; None: there is none.

    Returns:
        None where intervals are missing or overlap, or there is nothing to compare.
    """
    if ideal is None:
        return None
    ranges = {number: _distance(value, ideal) for number, value in enumerate(values) if value is not None}
    if len(ranges) < 2 or None in ranges.values():
        return None
    known = {number: distance for number, distance in ranges.items() if distance is not None}
    first = min(known, key=lambda number: known[number][1])
    others = [distance[0] for number, distance in known.items() if number != first]
    return first if known[first][1] < min(others) else None


def _distance(value: Value, ideal: float) -> tuple[float, float] | None:
    """Return the least and the greatest distance to the ideal within the interval."""
    if value.value is None or value.low is None or value.high is None:
        return None
    if math.isinf(ideal):
        return -value.high, -value.low
    ends = abs(value.low - ideal), abs(value.high - ideal)
    return (0.0 if value.low <= ideal <= value.high else min(ends)), max(ends)
