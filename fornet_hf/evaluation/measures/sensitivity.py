"""Relative foreground sensitivity: whether noise on the object does more harm than noise on the background.

RIVAL10's measure (Moayeri et al., arXiv 2201.10766), which needs masks but no saliency.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fornet_hf.evaluation.answers.predictions import Predictions
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.measures.accuracy import accuracies
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from fornet_hf.evaluation.statistics.values import Means, Statistic, Value
from fornet_hf.evaluation.stimuli.conditions import Condition, Noise

AMOUNTS = (30.0, 90.0, 150.0, 210.0)  # of RIVAL10's seven from 30 to 210, every second
WHERE = ("foreground", "background")


@dataclass(frozen=True)
class Sensitivity:
    """(accuracy with noise on the background - accuracy with noise on the object) / the largest possible difference.

    Attributes:
        config: settings of the evaluation.
        amounts: deviations of the noise, in grey levels of 255.
    """

    config: EvaluationConfig = field(default_factory=EvaluationConfig)
    amounts: Sequence[float] = AMOUNTS
    name: str = "sensitivity"

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings of its own: the amounts of noise."""
        return {"amounts": list(self.amounts)}

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """Noise on the object, and the same noise on the background, for each amount."""
        return {
            f"noise {where} {amount:g}": Condition(noise=Noise(where=where, amount=amount, seed=self.config.seed))
            for amount in self.amounts
            for where in WHERE
        }

    def values(self, predictions: Predictions, bootstrap: Bootstrap) -> Sequence[Value]:
        """Return the sensitivity of the accuracies averaged over the amounts, of each amount, and the accuracies."""
        names = list(self.conditions)
        paired = predictions.paired(*names)
        by_amount = {
            f"noise {amount:g}": _sensitivity(slice(number, number + 1)) for number, amount in enumerate(self.amounts)
        }
        values = bootstrap.estimates(
            "relative_foreground_sensitivity",
            paired.correct,
            paired.sources,
            {"": _sensitivity(slice(None)), **by_amount},
            left_out=paired.left_out,
            undefined="all answers are right, or all are wrong",
        )
        return [*values, *accuracies(paired, names, bootstrap)]


def _sensitivity(amounts: slice) -> Statistic:
    """Return the sensitivity that follows from the mean accuracies of some amounts."""

    def sensitivity(means: Means) -> Means:
        by_amount = means.reshape(*means.shape[:-1], -1, len(WHERE))[..., amounts, :]
        on_object, on_background = np.moveaxis(by_amount.mean(axis=-2), -1, 0)
        middle = (on_object + on_background) / 2
        result: Means = (on_background - on_object) / (2 * np.minimum(middle, 1 - middle))
        return result.clip(-1, 1)  # but for rounding it is never beyond

    return sensitivity
