"""The result of a measure: a number with its error and its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Means = npt.NDArray[np.float64]
Statistic = Callable[[Means], Means]


class Evidence(NamedTuple):
    """Samples that a value follows from.

    Attributes:
        samples: items x columns.
        sources: source image of each item.
        statistic: maps the columns' means (... x columns) to the value.
    """

    samples: Means
    sources: Sequence[str]
    statistic: Statistic


@dataclass(frozen=True, kw_only=True)
class Value:
    """One number of one measure.

    Attributes:
        measure: e.g. `background_robustness`.
        part: of it, e.g. `cell 4` or `class dog`; empty: the measure itself.
        value: None where it is not defined, such as a ratio to 0.
        low: lower end of the interval of 95 %.
        high: upper end.
        error: standard error.
        n: source images that it comes from.
        left_out: items left out, by reason.
        note: says why there is no value, or how it is to be read.
        evidence: the samples that it follows from, for comparisons; None: not known, as of what was read from a file.
    """

    measure: str
    part: str = ""
    value: float | None
    low: float | None = None
    high: float | None = None
    error: float | None = None
    n: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    note: str = ""
    evidence: Evidence | None = field(default=None, compare=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "evidence": None}  # its statistic may be a function that cannot be pickled

    def to_json(self) -> dict[str, Any]:
        """Return the value as JSON object, without its evidence."""
        named = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "evidence"}
        return {**named, "left_out": dict(self.left_out)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Value:
        """Return the value in an object, which may have more. Raises KeyError if it is none."""
        return cls(**{one.name: value[one.name] for one in fields(cls) if one.name != "evidence"})

    def noted(self, *notes: str) -> Value:
        """Return the same with more notes; empty ones say nothing."""
        return replace(self, note="; ".join(filter(None, [self.note, *notes])))
