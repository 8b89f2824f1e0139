"""Rows of tables: a number and its origin, and the difference of two models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fornet_hf.evaluation.results.origin import Origin
from fornet_hf.evaluation.statistics.values import Value

COLUMNS = (
    *("model", "data", "split", "measure", "part", "value", "low", "high", "error", "n", "left_out", "note"),
    *("weights", "seed", "release", "precision", "settings", "version"),
)
OF_DIFFERENCE = ("model", "other", *COLUMNS[1:], "other_weights", "other_precision", "other_settings")


@dataclass(frozen=True)
class Result:
    """A number and its origin."""

    origin: Origin
    value: Value

    def row(self) -> dict[str, Any]:
        """Return the row of a table: the `COLUMNS`."""
        values = {**asdict(self.origin), **self.value.to_json()}
        return {name: values[name] for name in COLUMNS}

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Result:
        """Return the result in a row. Raises KeyError or TypeError if it is none."""
        return cls(Origin.of_row(row), Value.from_json(row))


@dataclass(frozen=True)
class Difference:
    """A model's number less another's.

    Attributes:
        model: origin of the number.
        other: origin of what is taken from it.
        value: the difference; measure and part are those of the two numbers.
    """

    model: Origin
    other: Origin
    value: Value

    def row(self) -> dict[str, Any]:
        """Return the row of a table, the columns `OF_DIFFERENCE`."""
        other = {"other": self.other.model}
        other |= {f"other_{name}": getattr(self.other, name) for name in ("weights", "precision", "settings")}
        values = {**asdict(self.model), **self.value.to_json(), **other}
        return {name: values[name] for name in OF_DIFFERENCE}

    def to_json(self) -> dict[str, Any]:
        """Return the difference as JSON object."""
        return {"model": asdict(self.model), "other": asdict(self.other), "difference": self.value.to_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Difference:
        """Return the difference in an object. Raises KeyError or TypeError if it is none."""
        model, other = (Origin.of_row(value[name]) for name in ("model", "other"))
        return cls(model, other, Value.from_json(value["difference"]))
