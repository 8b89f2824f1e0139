"""Parameters of `Alternate`, validated here, once."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from fornet_hf.arguments import check_keywords, keywords, plain
from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.mixing.methods import MixConfig, MixUpConfig

PROBABILITY, BATCH = BY = ("probability", "batch")
_ALIKE = ("num_classes", "label_smoothing", "bce")


@dataclass(frozen=True, kw_only=True)
class AlternateConfig:
    """The parameters of alternating methods.

    Attributes:
        methods: one or more, without seeds of their own; None mixes nothing. They agree in `num_classes`,
            `label_smoothing` and `bce`.
        p: with `by="probability"` the probability of each, with a sum of 1; None: all alike.
        by: "probability" draws one for each batch; "batch" takes them in turn.
        off_for_last: epochs at the end of the training in which nothing is mixed; see `MixConfig`.
        seed: see `MixConfig`.

    Raises:
        ConfigurationError: a value that is not allowed.

    Example:
        >>> from fornet_hf.mixing import AlternateConfig, FMixConfig, MixUpConfig
        >>> config = AlternateConfig(methods=(FMixConfig(), MixUpConfig(alpha=0.2), None), p=(0.4, 0.4, 0.2))
        >>> AlternateConfig.from_json(config.to_json()) == config
        True
    """

    method: ClassVar[str] = "alternate"

    methods: tuple[AnyConfig | None, ...]
    p: tuple[float, ...] | None = None
    by: str = PROBABILITY
    off_for_last: float = 0.0
    seed: int | None = None

    def __post_init__(self) -> None:
        for name in ("p", "by", "off_for_last", "seed"):
            object.__setattr__(self, name, plain(getattr(self, name)))
        MixUpConfig(off_for_last=self.off_for_last, seed=self.seed)  # which validates them
        given: Any = self.methods
        found = [one for one in given if one is not None] if isinstance(given, (list, tuple)) else []
        kinds = bool(found) and all(isinstance(one, (MixConfig, AlternateConfig)) for one in found)
        _require(kinds, "methods", given, "a list of configurations or None, not of None alone")
        object.__setattr__(self, "methods", tuple(given))
        _require(all(one.seed is None for one in found), "seed", found, "one for all, as seed= of Alternate")
        inner = [one.off_for_last for one in found if isinstance(one, AlternateConfig)]
        _require(not any(inner), "off_for_last", inner, "0 in an Alternate that is one of several methods")
        for name in _ALIKE:
            values = sorted({str(getattr(one, name)) for one in found})
            _require(len(values) == 1, name, values, "the same in all methods of Alternate")
        _require(self.by in BY, "by", self.by, ", ".join(map(repr, BY)))
        if self.p is not None:
            object.__setattr__(self, "p", _probabilities(self.p, len(self.methods), self.by))

    @property
    def alike(self) -> dict[str, Any]:
        """The parameters that all methods have alike, by name."""
        first = next(one for one in self.methods if one is not None)
        return {name: getattr(first, name) for name in _ALIKE}

    @property
    def num_classes(self) -> int | None:
        """Width of the targets; None where labels come as probabilities."""
        return self.alike["num_classes"]  # type: ignore[no-any-return]

    @property
    def label_smoothing(self) -> float:
        """Share of a target that is spread evenly over all classes."""
        return self.alike["label_smoothing"]  # type: ignore[no-any-return]

    @property
    def bce(self) -> bool:
        """True if the loss is the binary cross-entropy."""
        return self.alike["bce"]  # type: ignore[no-any-return]

    def to_json(self) -> dict[str, Any]:
        """Return the parameters as JSON object."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        methods = [None if one is None else one.to_json() for one in self.methods]
        return {"method": self.method, **values, "methods": methods}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AlternateConfig:
        """Return the parameters from a JSON object; a missing name has its default.

        Raises:
            ConfigurationError: unknown names, or values that are not allowed.
        """
        values = dict(value)
        _require(values.pop("method", cls.method) == cls.method, "configuration", value, f"method {cls.method}")
        check_keywords(values, keywords(cls))
        return cls(**{**values, "methods": tuple(map(_of_json, values.get("methods") or ()))})


AnyConfig: TypeAlias = MixConfig | AlternateConfig


def _of_json(value: Any) -> AnyConfig | None:
    if value is None:
        return None
    alternates = isinstance(value, Mapping) and value.get("method") == AlternateConfig.method
    return AlternateConfig.from_json(value) if alternates else MixConfig.from_json(value)


def _probabilities(p: Any, count: int, by: str) -> tuple[float, ...]:
    """Return the probabilities of `count` methods as floats."""
    values = list(p) if isinstance(p, (list, tuple)) and len(p) == count else []
    numbers = bool(values) and all(isinstance(one, (int, float)) and 0 <= one <= 1 for one in values)
    fits = by == PROBABILITY and numbers and math.isclose(sum(values), 1.0, abs_tol=1e-6)
    _require(fits, "p", f"{p!r} with by={by!r}", f"{count} probabilities with a sum of 1, and by={PROBABILITY!r}")
    return tuple(map(float, values))


def _require(fits: bool, name: str, found: object, allowed: str) -> None:  # noqa: FBT001
    if not fits:
        raise ConfigurationError(explain(f"{name} is not allowed", found=found, allowed=allowed))
