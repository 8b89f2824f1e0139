"""Validation is evaluation: a split decides where nobody said whether examples are drawn as in training."""

from __future__ import annotations

from dataclasses import replace

from fornet_hf.recombination.draw.configuration import RecombinationConfig

_EVALUATED = {"validation", "val", "test"}


def names_in(split: object) -> list[str]:
    """Return the splits which `split` takes rows from: those of `train[:10%]+validation` are train and validation."""
    return sorted({part.split("[")[0].strip() for part in str(split).split("+")})


def decided(config: RecombinationConfig, split: object) -> RecombinationConfig:
    """Return the configuration with `evaluation` as it was said, else True if all rows are of a validation split."""
    if config.evaluation is not None:
        return config
    return replace(config, evaluation=split is not None and _EVALUATED.issuperset(names_in(split)))
