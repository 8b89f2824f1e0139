"""Each measure as a function of a model and data; keywords are those of `evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fornet_hf.evaluation.configuration import EvaluationConfig, Settings
from fornet_hf.evaluation.evaluating import evaluate
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.results.results import Results
from fornet_hf.evaluation.saliency.configuration import SaliencyConfig
from fornet_hf.evaluation.subjects import Labels, Models

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Options(Settings, total=False):
    """The keywords of `evaluate`."""

    config: EvaluationConfig | None
    preprocessing: Preprocessing | None
    saliency: SaliencyConfig | None
    output: str | Path | None
    split: str
    imagenet_dir: str | Path | None
    cache_dir: str | Path | None
    revision: str | None
    labels: Labels | None
    trust_remote_code: bool
    command: str


def accuracy(models: Models, data: Any, **options: Unpack[Options]) -> Results:
    """Return the accuracy on originals and on each kind of background; raises as `evaluate`."""
    return evaluate(models, data, ["accuracy"], **options)


def background_robustness(models: Models, data: Any, **options: Unpack[Options]) -> Results:
    """Return background robustness, and the accuracies that it comes from; raises as `evaluate`."""
    return evaluate(models, data, ["background"], **options)


def centre_bias(models: Models, data: Any, **options: Unpack[Options]) -> Results:
    """Return centre bias, and the accuracy in each of the nine cells; raises as `evaluate`."""
    return evaluate(models, data, ["centre"], **options)


def size_bias(models: Models, data: Any, **options: Unpack[Options]) -> Results:
    """Return size bias at each factor, and the accuracies that it comes from; raises as `evaluate`."""
    return evaluate(models, data, ["size"], **options)


def relative_foreground_sensitivity(models: Models, data: Any, **options: Unpack[Options]) -> Results:
    """Return RIVAL10's relative foreground sensitivity; raises as `evaluate`."""
    return evaluate(models, data, ["sensitivity"], **options)


def foreground_focus(models: Models, data: Any, **options: Unpack[Options]) -> Results:
    """Return foreground focus by each method of saliency; raises as `evaluate`."""
    return evaluate(models, data, ["focus"], **options)


def imagenet9(models: Models, data: Any, **options: Unpack[Options]) -> Results:
    """Return the metrics of ImageNet-9 on its variants; raises as `evaluate`."""
    return evaluate(models, data, ["in9"], **options)


def challenge_accuracy(models: Models, data: Any, **options: Unpack[Options]) -> Results:
    """Return the accuracy in the challenge of ImageNet-9; raises as `evaluate`."""
    return evaluate(models, data, ["challenge"], **options)
