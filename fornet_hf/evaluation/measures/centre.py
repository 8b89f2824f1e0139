"""Centre bias: how much accuracy falls when the object leaves the middle of the image.

The ForAug paper's measure (arXiv 2503.09399) over the nine cells of a 3 x 3 grid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fornet_hf.evaluation.answers.predictions import Predictions
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.measures.accuracy import accuracies
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from fornet_hf.evaluation.statistics.values import Means, Value
from fornet_hf.evaluation.stimuli.conditions import Condition
from fornet_hf.recombination.draw.configuration import RecombinationConfig

CELLS = tuple(f"cell {number}" for number in range(9))
_CORNERS, _SIDES, _CENTRE = [0, 2, 6, 8], [1, 3, 5, 7], 4


@dataclass(frozen=True)
class Centre:
    """1 - (lowest accuracy of a corner + lowest of a side) / (2 accuracy in the centre).

    Attributes:
        config: settings of the evaluation.
    """

    config: EvaluationConfig = field(default_factory=EvaluationConfig)
    name: str = "centre"

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings of its own: the frame of the cells."""
        return {"cells": self.config.cells}

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """The nine cells; each item shows the same object on the same background at the same size in all of them."""
        return {
            name: Condition(
                recombination=RecombinationConfig(fg_in_nonant=number, evaluation=True, seed=self.config.seed),
                seen=self.config.cells == "seen",
                whole=True,
            )
            for number, name in enumerate(CELLS)
        }

    def values(self, predictions: Predictions, bootstrap: Bootstrap) -> Sequence[Value]:
        """Return the bias, the same with means in place of the lowest accuracies, and the accuracies."""
        paired = predictions.paired(*CELLS)
        values = bootstrap.estimates(
            "centre_bias",
            paired.correct,
            paired.sources,
            {"": _bias, "means": _bias_of_means},
            left_out=paired.left_out,
            undefined="accuracy in the centre is 0",
        )
        return [*values, *accuracies(paired, CELLS, bootstrap)]


def _bias(means: Means) -> Means:
    lowest: Means = means[..., _CORNERS].min(axis=-1) + means[..., _SIDES].min(axis=-1)
    return 1 - lowest / (2 * means[..., _CENTRE])


def _bias_of_means(means: Means) -> Means:
    outside: Means = means[..., _CORNERS].mean(axis=-1) + means[..., _SIDES].mean(axis=-1)
    return 1 - outside / (2 * means[..., _CENTRE])
