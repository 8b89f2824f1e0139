"""Foreground focus: how much more a classifier looks at the object than at as much of the rest of the image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from fornet_hf.errors import explain
from fornet_hf.evaluation.answers.device import chosen_device
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.data.opening import Data, RowsData
from fornet_hf.evaluation.labels.mapping import LabelMap
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.saliency.configuration import SaliencyConfig
from fornet_hf.evaluation.saliency.fitness import unfit
from fornet_hf.evaluation.saliency.looking import Masked
from fornet_hf.evaluation.saliency.shares import Shares
from fornet_hf.evaluation.saliency.showing import Explained, examples, foreground_shares
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap, mean
from fornet_hf.evaluation.statistics.values import Means, Value
from fornet_hf.evaluation.stimuli.conditions import ORIGINAL, Condition
from fornet_hf.ranks import Ranks

MEASURE = "foreground_focus"
NO_IMPORTANCE = "no importance anywhere"
UNFIT = "this method cannot explain the classifier"


@dataclass(frozen=True, kw_only=True)
class ForegroundFocus:
    """The experiment.

    Attributes:
        saliency: methods and their settings.
    """

    saliency: SaliencyConfig = field(default_factory=SaliencyConfig)

    @property
    def name(self) -> str:
        """Name in commands and results."""
        return "focus"

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings of its own: those of saliency."""
        return {"saliency": asdict(self.saliency)}

    def lacks(self, data: Data) -> str:
        """Say what the data lacks for this; empty: nothing."""
        if isinstance(data, RowsData):
            return ""
        return explain("masks of the objects are needed", found=data.name, then="Name rows or patches of a ForNet.")

    def unfit(self, classifier: Classifier, config: EvaluationConfig) -> str:
        """Say why no method can explain the classifier; empty: one can.

        Raises:
            ConfigurationError: the layer that the settings name cannot be used.
        """
        reasons = unfit(classifier, self.saliency, chosen_device(config.device))
        return next(iter(reasons.values())) if set(reasons) == set(self.saliency.methods) else ""

    def run(
        self,
        classifier: Classifier,
        label_map: LabelMap,
        data: Data,
        config: EvaluationConfig,
        folder: Path | None,
        ranks: Ranks | None = None,
    ) -> Sequence[Value]:
        """Show the original images, each once, and return the values of `foreground_focus`."""
        stimuli = _originals(data, config)
        return foreground_focus(classifier, label_map, stimuli, config, self.saliency, folder, ranks)

    def examples(
        self, classifier: Classifier, label_map: LabelMap, data: Data, config: EvaluationConfig
    ) -> list[Explained]:
        """Return some images and where the classifier looks, for the report."""
        reasons = unfit(classifier, self.saliency, chosen_device(config.device))
        if not (methods := [method for method in self.saliency.methods if method not in reasons]):
            return []
        saliency = replace(self.saliency, methods=methods)
        return examples(classifier, label_map, _originals(data, config), config, saliency)


def _originals(data: Data, config: EvaluationConfig) -> Any:
    """Return the original images with their masks; nothing is drawn."""
    return data.stimuli({ORIGINAL: Condition()}, replace(config, draws=1, seed=0))


def foreground_focus(
    classifier: Classifier,
    label_map: LabelMap,
    stimuli: Masked,
    config: EvaluationConfig | None = None,
    saliency: SaliencyConfig | None = None,
    folder: Path | None = None,
    ranks: Ranks | None = None,
) -> list[Value]:
    """Return foreground focus by method, in two ways.

    Focus of an image is (importance on the foreground / importance) / (area of the foreground / area): 1 if the
    classifier looks everywhere alike, 1/r if it looks at nothing but a foreground of area share r. `METHOD` is its
    mean over images, in which small foregrounds weigh most; `METHOD pooled` is the mean share of importance divided
    by the mean share of area, in which large ones do. Images without importance anywhere are left out and counted; so
    are all of them where a method cannot explain the classifier.

    Args:
        classifier: see `foreground_shares`, as for all other arguments.
        label_map: likewise.
        stimuli: likewise.
        config: likewise; also seed and resamples of the intervals.
        saliency: likewise.
        folder: likewise.
        ranks: likewise.
    """
    config, saliency = config or EvaluationConfig(), saliency or SaliencyConfig()
    reasons = unfit(classifier, saliency, chosen_device(config.device))
    found = [_without(method, reason, len(stimuli.keys)) for method, reason in reasons.items()]
    if methods := [method for method in saliency.methods if method not in reasons]:
        saliency = replace(saliency, methods=methods)
        shares = foreground_shares(classifier, label_map, stimuli, config, saliency, folder, ranks)
        bootstrap = Bootstrap(config.seed, config.resamples)
        notes = f"importance for the {saliency.explained}", "" if config.precision == "float32" else "in float32"
        found += [value.noted(*notes) for value in values(shares, methods, stimuli.sources, bootstrap)]
    return found


def _without(method: str, reason: str, images: int) -> Value:
    return Value(measure=MEASURE, part=method, value=None, n=0, left_out={UNFIT: images}, note=reason)


def values(shares: Shares, methods: Sequence[str], sources: Sequence[str], bootstrap: Bootstrap) -> list[Value]:
    """Return the values of `foreground_focus` that follow from shares."""
    result = []
    for number, method in enumerate(methods):
        there = np.isfinite(shares.importance[:, number])
        importance, area = shares.importance[there, number], shares.area[there]
        left_out = Counter(shares.reasons.values())
        left_out[NO_IMPORTANCE] += int((~there & np.isfinite(shares.area)).sum())
        result += bootstrap.estimates(
            MEASURE,
            np.stack([importance / area, importance, area], 1),
            np.asarray(sources, np.str_)[there].tolist(),
            {method: mean, f"{method} pooled": _pooled},
            left_out=dict(+left_out),
        )
    return result


def _pooled(means: Means) -> Means:
    return means[..., 1] / means[..., 2]
