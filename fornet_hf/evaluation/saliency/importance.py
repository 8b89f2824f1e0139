"""Importance of each pixel, by any method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fornet_hf.evaluation.saliency.activations import activation_maps
from fornet_hf.evaluation.saliency.configuration import INTEGRATED_GRADIENTS, SaliencyConfig
from fornet_hf.evaluation.saliency.integrated_gradients import integrated_gradients
from fornet_hf.evaluation.saliency.layers import TargetLayer, target_layer
from fornet_hf.evaluation.saliency.scores import frozen

if TYPE_CHECKING:
    import torch

    from fornet_hf.evaluation.models.classifier import Classifier


def importance(
    classifier: Classifier,
    images: torch.Tensor,
    candidates: torch.Tensor | None = None,
    *,
    config: SaliencyConfig | None = None,
    layer: TargetLayer | None = None,
    batch: int | None = None,
) -> dict[str, torch.Tensor]:
    """Return the importance (float32, n x height x width, 0 or more) of each pixel, by method.

    It has no unit and is not rescaled: compare shares of one map, not maps.

    Args:
        classifier: on the images' device.
        images: float32, n x 3 x height x width, 0 to 1; n is 1 or more.
        candidates: bool, n x outputs: those of the class to explain, of which the highest is; None: the prediction.
        config: settings; None: all methods with their defaults.
        layer: what `target_layer` returned for this classifier; None: it is found anew.
        batch: most images in a pass of integrated gradients, at least n; None: n.

    Raises:
        ConfigurationError: no layer with feature maps is found, or none of the configuration's name.
    """
    config = config or SaliencyConfig()
    activation = [method for method in config.methods if method != INTEGRATED_GRADIENTS]
    result = {}
    if activation:
        if layer is None:
            with frozen(classifier.network):
                layer = target_layer(classifier, images[:1], config.layer)
        result.update(activation_maps(classifier, images, candidates, layer, activation))
    if INTEGRATED_GRADIENTS in config.methods:
        signed = integrated_gradients(
            classifier, images, candidates, steps=config.steps, baseline=config.baseline, batch=batch
        ).sum(1)
        result[INTEGRATED_GRADIENTS] = signed.abs() if config.sign == "absolute" else signed.relu()
    return {method: result[method] for method in config.methods}
