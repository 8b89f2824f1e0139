"""The result of a measure: a number with its error and its interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


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

    def noted(self, *notes: str) -> Value:
        """Return the same with more notes; empty ones say nothing."""
        return replace(self, note="; ".join(filter(None, [self.note, *notes])))
