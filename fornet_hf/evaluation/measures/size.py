"""Size bias: how accuracy changes with the size of the object.

The ForAug paper's measure (arXiv 2503.09399), with the object in the middle as in SI-Score (arXiv 2104.04191):
elsewhere a large object would also be nearer to the middle than a small one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.answers.predictions import Predictions
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.measures.accuracy import accuracies
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from fornet_hf.evaluation.statistics.values import Means, Statistic, Value
from fornet_hf.evaluation.stimuli.conditions import Condition
from fornet_hf.recombination.draw.configuration import RecombinationConfig

_USUAL = "size 1"


@dataclass(frozen=True)
class Size:
    """Accuracy at each factor on the object's area / accuracy at factor 1.

    Attributes:
        config: settings of the evaluation; `sizes` are the factors.

    Raises:
        ConfigurationError: 1 is the only factor.
    """

    config: EvaluationConfig = field(default_factory=EvaluationConfig)
    name: str = "size"

    def __post_init__(self) -> None:
        if set(self.config.sizes) <= {1.0}:
            what = "sizes are not allowed: size bias compares factor 1 with others"
            raise ConfigurationError(explain(what, found=list(self.config.sizes), allowed="one more factor than 1"))

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings of its own: the frame, and the factors, which decide on the items that fit at all of them."""
        return {"cells": self.config.cells, "sizes": list(self.config.sizes)}

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """The sizes; each item shows the same object on the same background at the same place in all of them."""
        return {
            f"size {factor:g}": Condition(
                recombination=RecombinationConfig(
                    fg_size_fact=factor, fg_bates_n=0, evaluation=True, seed=self.config.seed
                ),
                seen=self.config.cells == "seen",
                whole=True,
            )
            for factor in self.config.sizes
        }

    def values(self, predictions: Predictions, bootstrap: Bootstrap) -> Sequence[Value]:
        """Return the ratio of each factor but 1, and the accuracies."""
        names = list(self.conditions)
        paired = predictions.paired(*names)
        usual = names.index(_USUAL)
        values = bootstrap.estimates(
            "size_bias",
            paired.correct,
            paired.sources,
            {name: _ratio(number, usual) for number, name in enumerate(names) if number != usual},
            left_out=paired.left_out,
            undefined="accuracy at size 1 is 0",
        )
        note = "of objects that fit at each factor of " + ", ".join(f"{factor:g}" for factor in self.config.sizes)
        if names[-1] != _USUAL:
            more = np.count_nonzero(predictions.complete(*names[:-1])) - len(paired.items)
            note += f"; {more:,} more items fit without {self.config.sizes[-1]:g}" if more else ""
        return [value.noted(note) for value in [*values, *accuracies(paired, names, bootstrap)]]


def _ratio(number: int, usual: int) -> Statistic:
    def ratio(means: Means) -> Means:
        return means[..., number] / means[..., usual]

    return ratio
