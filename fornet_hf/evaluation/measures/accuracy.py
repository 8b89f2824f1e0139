"""Accuracy: the share of right answers, on the images as they are and recombined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fornet_hf.evaluation.answers.predictions import Paired, Predictions
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap, column
from fornet_hf.evaluation.statistics.values import Value
from fornet_hf.evaluation.stimuli.conditions import ORIGINAL, Condition
from fornet_hf.recombination.draw.configuration import COMBINATIONS, RecombinationConfig


def recombined(config: EvaluationConfig, combination: str) -> Condition:
    """Return the condition of the public order with the paper's parameters and this `background_combination`."""
    return Condition(
        recombination=RecombinationConfig(background_combination=combination, evaluation=True, seed=config.seed)
    )


@dataclass(frozen=True)
class Accuracy:
    """Top-1 accuracy on originals and on each kind of background, in all and by class.

    All conditions count the same items, but for a condition that no item can be shown in. Where originals have items
    more, `every original` counts them, too.

    Attributes:
        config: settings of the evaluation.
    """

    config: EvaluationConfig = field(default_factory=EvaluationConfig)
    name: str = "accuracy"

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings of its own: none."""
        return {}

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """Originals, and each kind of background."""
        return {ORIGINAL: Condition(), **{name: recombined(self.config, name) for name in COMBINATIONS}}

    def values(self, predictions: Predictions, bootstrap: Bootstrap) -> Sequence[Value]:
        """Return the accuracy in those of the conditions that were shown: data without masks have originals alone."""
        known = [name for name in self.conditions if name in predictions.conditions]
        shown = [name for name in known if predictions.complete(name).any()] or known
        paired = predictions.paired(*shown)
        absent = len(predictions.class_names) - len(np.unique(paired.labels))
        note = f"{absent:,} of {len(predictions.class_names):,} classes have no image" if absent else ""
        values = [
            *(value.noted(note) for value in accuracies(paired, shown, bootstrap)),
            *_by_class(paired, shown, predictions.class_names, bootstrap),
        ]
        for name in known:
            if name not in shown:  # such as the originals of what fornet apply made
                values += accuracies(predictions.paired(name), [name], bootstrap)
        if paired.left_out and ORIGINAL in shown:
            every = predictions.paired(ORIGINAL)
            values += accuracies(every, [f"every {ORIGINAL}"], bootstrap)
        return values


def accuracies(paired: Paired, parts: Sequence[str], bootstrap: Bootstrap) -> list[Value]:
    """Return the mean of each column of answers, called by these parts."""
    statistics = {part: column(number) for number, part in enumerate(parts)}
    return bootstrap.estimates("accuracy", paired.correct, paired.sources, statistics, left_out=paired.left_out)


def _by_class(
    paired: Paired, conditions: Sequence[str], class_names: Sequence[str], bootstrap: Bootstrap
) -> Iterator[Value]:
    """Yield the accuracies of each class that has items."""
    for label in np.unique(paired.labels).tolist():
        inside = np.flatnonzero(paired.labels == label)
        sources = [paired.sources[number] for number in inside.tolist()]
        statistics = {f"{name} class {class_names[label]}": column(number) for number, name in enumerate(conditions)}
        yield from bootstrap.estimates("accuracy", paired.correct[inside], sources, statistics)
