"""Measures of a classifier: which conditions each needs, and how its numbers follow from the answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.measures.accuracy import Accuracy
from fornet_hf.evaluation.measures.background import Background
from fornet_hf.evaluation.measures.centre import Centre
from fornet_hf.evaluation.measures.measure import Measure
from fornet_hf.evaluation.measures.sensitivity import Sensitivity
from fornet_hf.evaluation.measures.size import Size

MEASURES: Mapping[str, Callable[[EvaluationConfig], Measure]] = {
    "accuracy": Accuracy,
    "background": Background,
    "centre": Centre,
    "size": Size,
    "sensitivity": Sensitivity,
}
"""The measures that follow from answers to recombined rows, by their names in commands."""
