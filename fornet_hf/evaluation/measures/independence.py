"""Independence: how much the data's infilled backgrounds betray of their objects; the same for every classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.data.opening import Data, RowsData
from fornet_hf.evaluation.labels.mapping import LabelMap
from fornet_hf.evaluation.leakage.measuring import measured
from fornet_hf.evaluation.leakage.portions import portions_of_rows
from fornet_hf.evaluation.leakage.values import values
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from fornet_hf.evaluation.statistics.values import Value
from fornet_hf.ranks import Ranks

NOTE = "of the data, whatever the classifier"


@dataclass(frozen=True, kw_only=True)
class Independence:
    """The experiment. It shows nothing to classifiers.

    Attributes:
        most: images that are drawn from the data, 8 or more; None: all.
    """

    most: int | None = 10_000
    name: str = "independence"

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings of its own: how many images count."""
        return {"most": self.most}

    def lacks(self, data: Data) -> str:
        """Say what the data lack for this; empty: nothing."""
        if isinstance(data, RowsData):
            return ""
        what = "objects and infilled backgrounds are needed"
        return explain(what, found=data.name, then="Name rows or patches of a ForNet.")

    def unfit(self, classifier: Classifier, config: EvaluationConfig) -> str:
        """Say nothing: it does not depend on the classifier."""
        del classifier, config
        return ""

    def run(
        self,
        classifier: Classifier,
        label_map: LabelMap,
        data: Data,
        config: EvaluationConfig,
        folder: Path | None,
        ranks: Ranks | None = None,
    ) -> Sequence[Value]:
        """Return the numbers of the data, in each process anew: the score, its parts and classes, the closed form.

        Raises:
            ConfigurationError: the data lack something, or fewer than 8 images have both parts.
            ForNetError: an image cannot be read.
        """
        del classifier, label_map, folder, ranks
        if not isinstance(data, RowsData):
            raise ConfigurationError(self.lacks(data))
        portions = portions_of_rows(data.rows, most=self.most, seed=config.seed)
        found = measured(portions, seed=config.seed, workers=config.workers)
        bootstrap = Bootstrap(config.seed, config.resamples)
        return [value.noted(NOTE) for value in values(found, data.class_names, bootstrap)]
