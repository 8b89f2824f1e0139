"""Methods of saliency that a classifier is no subject for, found out before it is shown anything else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fornet_hf.errors import ConfigurationError
from fornet_hf.evaluation.answers.device import computing, on_device, out_of_memory
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.saliency.configuration import INTEGRATED_GRADIENTS, SaliencyConfig
from fornet_hf.evaluation.saliency.importance import importance

if TYPE_CHECKING:
    import torch


def unfit(classifier: Classifier, saliency: SaliencyConfig, device: torch.device) -> dict[str, str]:
    """Say why methods cannot explain a classifier, by method: each tries it with a grey image.

    Raises:
        ConfigurationError: the layer that the settings name cannot be used.
    """
    import torch

    side = classifier.preprocessing.size
    reasons = {}
    with on_device([classifier.network], device), computing(device, "float32"):
        image = torch.full((1, 3, side, side), 0.5, device=device)
        for method in saliency.methods:
            try:
                importance(classifier, image, config=replace(saliency, methods=[method], steps=1))
            except (ConfigurationError, RuntimeError) as error:
                asked = saliency.layer is not None and method != INTEGRATED_GRADIENTS
                if asked or out_of_memory(error):
                    raise
                reason = str(error).strip().removesuffix(".")
                reasons[method] = reason.replace(". ", "; ")  # the terminal shows the first part of a note
    return reasons
