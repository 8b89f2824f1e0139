"""Each measure as a function of a model and data; keywords are those of `evaluate`."""

from __future__ import annotations

from typing import Any

from fornet_hf.evaluation.evaluating import evaluate
from fornet_hf.evaluation.results.results import Results


def accuracy(model: Any, data: Any, **settings: Any) -> Results:
    """Return the accuracy on originals and on each kind of background; raises as `evaluate`."""
    return evaluate(model, data, ["accuracy"], **settings)


def background_robustness(model: Any, data: Any, **settings: Any) -> Results:
    """Return background robustness, and the accuracies that it comes from; raises as `evaluate`."""
    return evaluate(model, data, ["background"], **settings)


def centre_bias(model: Any, data: Any, **settings: Any) -> Results:
    """Return centre bias, and the accuracy in each of the nine cells; raises as `evaluate`."""
    return evaluate(model, data, ["centre"], **settings)


def size_bias(model: Any, data: Any, **settings: Any) -> Results:
    """Return size bias at each factor, and the accuracies that it comes from; raises as `evaluate`."""
    return evaluate(model, data, ["size"], **settings)


def relative_foreground_sensitivity(model: Any, data: Any, **settings: Any) -> Results:
    """Return RIVAL10's relative foreground sensitivity; raises as `evaluate`."""
    return evaluate(model, data, ["sensitivity"], **settings)


def foreground_focus(model: Any, data: Any, **settings: Any) -> Results:
    """Return foreground focus by each method of saliency; raises as `evaluate`."""
    return evaluate(model, data, ["focus"], **settings)


def imagenet9(model: Any, data: Any, **settings: Any) -> Results:
    """Return the metrics of ImageNet-9 on its variants; raises as `evaluate`."""
    return evaluate(model, data, ["in9"], **settings)


def challenge_accuracy(model: Any, data: Any, **settings: Any) -> Results:
    """Return the accuracy in the challenge of ImageNet-9; raises as `evaluate`."""
    return evaluate(model, data, ["challenge"], **settings)
