"""Settings of an evaluation, validated here, once, for every way in."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from fornet_hf.arguments import check_keywords, keywords, plain, positive
from fornet_hf.errors import ConfigurationError, explain

CELLS = ("seen", "canvas")
PRECISIONS = ("float32", "bfloat16")
_LARGEST = 1e6  # factor on an area, as in a recombination


class Settings(TypedDict, total=False):
    """The fields of `EvaluationConfig` as keywords."""

    seed: int
    draws: int
    resamples: int
    cells: str
    sizes: Sequence[float]
    batch_size: int
    workers: int | None
    precision: str
    device: str | None


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig:
    """Settings of an evaluation.

    Attributes:
        seed: of all draws and resamples, 0 or more.
        draws: backgrounds that each foreground is shown on, 1 or more.
        resamples: of the bootstrap, 2 or more.
        cells: "seen": the cells and sizes are those of the part that the classifier sees; "canvas": those of the
            whole image, as in the public order.
        sizes: factors on the object's area, above 0; 1 is always among them. They are sorted. Results name them by
            six digits, in which no two may agree.
        batch_size: images; halved when memory runs out.
        workers: processes that make images; None: MAX_WORKERS, or the CPUs.
        precision: "float32" or "bfloat16".
        device: of torch; None: a GPU if there is one.

    Raises:
        ConfigurationError: a value that is not allowed.

    Example:
        >>> from fornet_hf.evaluation.configuration import EvaluationConfig
        >>> config = EvaluationConfig(sizes=(2, 0.5))
        >>> config.sizes
        (0.5, 1.0, 2.0)
        >>> EvaluationConfig.from_json(config.to_json()) == config
        True
    """

    seed: int = 0
    draws: int = 1
    resamples: int = 1000
    cells: str = "seen"
    sizes: tuple[float, ...] = (0.25, 0.5, 1.0, 1.5)
    batch_size: int = 256
    workers: int | None = None
    precision: str = "float32"
    device: str | None = None

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, plain(getattr(self, field.name)))
        for name in ("draws", "resamples", "batch_size", *(["workers"] if self.workers is not None else [])):
            positive(name, getattr(self, name))
        _require(self.resamples > 1, "resamples", self.resamples, "2 or more")
        seed: object = self.seed
        whole = isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed < 2**64
        _require(whole, "seed", seed, "an integer from 0 to 2**64 - 1")
        for name, choices in (("cells", CELLS), ("precision", PRECISIONS)):
            _require(getattr(self, name) in choices, name, getattr(self, name), ", ".join(choices))
        sizes: object = self.sizes
        fits = isinstance(sizes, (tuple, list)) and all(map(_is_factor, sizes))
        _require(fits, "sizes", sizes, f"factors above 0 to {_LARGEST:,.0f}")
        object.__setattr__(self, "sizes", tuple(sorted({1.0, *map(float, self.sizes)})))
        for smaller, larger in itertools.pairwise(self.sizes):
            found, allowed = [smaller, larger], f"one size of the name {smaller:g}"
            _require(f"{smaller:g}" != f"{larger:g}", "sizes", found, allowed)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON object."""
        return {**dataclasses.asdict(self), "sizes": list(self.sizes)}

    @classmethod
    def of(cls, config: EvaluationConfig | None, settings: Mapping[str, Any]) -> EvaluationConfig:
        """Return a configuration that is given as such or by its fields; neither: the default.

        Raises:
            ConfigurationError: it is given in both ways, `config` is something else, or a field is not known.
        """
        check_keywords(settings, keywords(cls))
        if config is None:
            return cls(**settings)
        given: object = config
        allowed = f"EvaluationConfig(...), or its fields as keywords: {', '.join(keywords(cls))}"
        _require(isinstance(given, EvaluationConfig), "config", given, allowed)
        _require(not settings, "a keyword beside config", ", ".join(settings), "one of the two")
        return config

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> EvaluationConfig:
        """Return the settings from a JSON object; a missing name has its default.

        Raises:
            ConfigurationError: unknown names, or values that are not allowed.
        """
        _require(isinstance(value, Mapping), "configuration", value, f"an object with {keywords(cls)}")
        check_keywords(value, keywords(cls))
        return cls(**value)


def _is_factor(value: object) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and math.isfinite(value) and 0 < value <= _LARGEST  # type: ignore[arg-type,operator]


def _require(fits: bool, name: str, found: object, allowed: str) -> None:  # noqa: FBT001
    if not fits:
        raise ConfigurationError(explain(f"{name} is not allowed", found=repr(found), allowed=allowed))
