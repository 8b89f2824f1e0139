"""The contracts of measures: some follow from answers to images that are fixed beforehand, others show their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from fornet_hf.evaluation.answers.predictions import Predictions
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.data.opening import Data
from fornet_hf.evaluation.labels.mapping import LabelMap
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from fornet_hf.evaluation.statistics.values import Value
from fornet_hf.evaluation.stimuli.conditions import Condition
from fornet_hf.ranks import Ranks


class Measure(Protocol):
    """A measure that follows from a classifier's answers."""

    @property
    def name(self) -> str:
        """Name in commands and results."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings that its numbers depend on, as JSON object; those of the model, the seed and the draws apart."""

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """Conditions that it needs, by name; measures share those of one name, which then are equal."""

    def values(self, predictions: Predictions, bootstrap: Bootstrap) -> Sequence[Value]:
        """Return its numbers; items that were not shown in all of its conditions are left out and counted."""
        ...


class Experiment(Protocol):
    """A measure that needs more than answers to fixed images, such as gradients, or images that answers decide on."""

    @property
    def name(self) -> str:
        """Name in commands and results."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings that its numbers depend on, as JSON object; those of the model, the seed and the draws apart."""

    def lacks(self, data: Data) -> str:
        """Say what the data lacks for this, and what to do about it; empty: nothing."""

    def unfit(self, classifier: Classifier, config: EvaluationConfig) -> str:
        """Say why the classifier cannot have any number of this; empty: it can. Asked before anything is shown."""

    def run(
        self,
        classifier: Classifier,
        label_map: LabelMap,
        data: Data,
        config: EvaluationConfig,
        folder: Path | None,
        ranks: Ranks | None = None,
    ) -> Sequence[Value]:
        """Show images to the classifier and return its numbers, in each of the processes that share the work.

        Args:
            classifier: on the device of the configuration.
            label_map: from its outputs to the data's classes.
            data: which lacks nothing.
            config: all settings.
            folder: for files of its own: what lets a killed run go on, examples for the report; None: none are kept.
            ranks: the processes, which all run it; more than one need a folder. None: this one alone.
        """
        ...
