"""Background robustness: what is left of the accuracy when backgrounds no longer tell the class.

The ForAug paper's measure (arXiv 2503.09399), with its parameters of recombination.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fornet_hf.evaluation.answers.predictions import Predictions
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.measures.accuracy import recombined
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap, column
from fornet_hf.evaluation.statistics.values import Means, Value
from fornet_hf.evaluation.stimuli.conditions import Condition

SAME, ALL = CONDITIONS = ("same", "all")
NAME = "background_robustness"
ALONE = "the only image of its class"


@dataclass(frozen=True)
class Background:
    """Accuracy on backgrounds of any class / accuracy on backgrounds of the object's class.

    Attributes:
        config: settings of the evaluation.
    """

    config: EvaluationConfig = field(default_factory=EvaluationConfig)
    name: str = "background"

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings of its own: none."""
        return {}

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """Backgrounds of the object's class, and of any."""
        return {name: recombined(self.config, name) for name in CONDITIONS}

    def values(self, predictions: Predictions, bootstrap: Bootstrap) -> Sequence[Value]:
        """Return the ratio, the difference (same less all), and the accuracies that they come from."""
        paired = predictions.paired(*CONDITIONS, without=dict.fromkeys(_alone(predictions), ALONE))
        values = bootstrap.estimates(
            NAME,
            paired.correct,
            paired.sources,
            {"": _robustness, "difference": _difference, "accuracy same": column(0), "accuracy all": column(1)},
            left_out=paired.left_out,
            undefined="accuracy in same is 0",
        )
        if len(paired.items) and not _conflicting(predictions)[paired.items].any():
            note = "no background of another class was shown, so same and all are alike"
            nothing = [
                Value(measure=NAME, part=v.part, value=None, n=v.n, left_out=v.left_out, note=note) for v in values
            ]
            return [*nothing[:2], *values[2:]]
        return values


def _robustness(means: Means) -> Means:
    return means[..., 1] / means[..., 0]


def _difference(means: Means) -> Means:
    return means[..., 0] - means[..., 1]


def _alone(predictions: Predictions) -> list[int]:
    """Return the items that are alone in their class: what `same` shows them on can only be their own background."""
    column = predictions.columns(SAME)[0]
    own = predictions.background_keys[:, column] == np.asarray(predictions.sources, dtype=np.str_)
    own |= predictions.background_keys[:, column] == ""
    alone = []
    for label in np.unique(predictions.labels):
        items = np.flatnonzero(predictions.labels == label)
        if own[items].all() and len({predictions.sources[item] for item in items.tolist()}) == 1:
            alone += items.tolist()
    return alone


def _conflicting(predictions: Predictions) -> npt.NDArray[np.bool_]:
    """Return which items `all` shows on a background of another class."""
    backgrounds = predictions.backgrounds[:, predictions.columns(ALL)[0]]
    found: npt.NDArray[np.bool_] = (backgrounds >= 0) & (backgrounds != predictions.labels)
    return found
