"""Class activation maps: Grad-CAM and Grad-CAM++, on batches.

Both weight the feature maps A of a layer by gradients G = dS/dA of the score S (a logit, before softmax), and keep
what speaks for the class: L = ReLU(sum over channels k of w_k A_k).

- Grad-CAM (Selvaraju et al., ICCV 2017): w_k = mean over cells of G.
- Grad-CAM++ (Chattopadhay et al., WACV 2018): w_k = sum over cells of a ReLU(G), where
  a = G^2 / (2 G^2 + G^3 sum of A_k). The factor exp(S) of their Y = exp(S) is left out, as it is the same for a whole
  map. For G > 0 the summand is G / (2 + G sum of A_k), which needs no small number in the denominator.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.saliency.configuration import GRADCAM
from fornet_hf.evaluation.saliency.layers import NAME_IT, TargetLayer, hooked
from fornet_hf.evaluation.saliency.scores import chosen, frozen, scores, sound

if TYPE_CHECKING:
    import torch

    from fornet_hf.evaluation.models.classifier import Classifier


def activation_maps(
    classifier: Classifier,
    images: torch.Tensor,
    candidates: torch.Tensor | None,
    layer: TargetLayer,
    methods: Sequence[str],
) -> dict[str, torch.Tensor]:
    """Return maps of the images' size (float32, n x height x width, 0 or more), by method, from one pass.

    They are scaled up bilinearly, and not rescaled: shares of a map and ratios of maps stay. Where the logits are no
    numbers, neither are the maps.

    Args:
        classifier: with a network of torch.
        images: float32, n x 3 x height x width, 0 to 1.
        candidates: see `chosen`.
        layer: of the classifier.
        methods: "gradcam", "gradcam++" or both.

    Raises:
        ConfigurationError: the score does not depend on the layer by gradients.
    """
    import torch
    from torch.nn import functional

    seen: list[torch.Tensor] = []

    def record(_name: str, output: torch.Tensor) -> torch.Tensor:
        seen.append(output.detach().requires_grad_())
        return seen[-1].clone()  # the network may change its copy in place

    with frozen(classifier.network), hooked({layer.name: layer.module}, record), torch.enable_grad():
        logits = classifier.logits(images)
        total = scores(logits, chosen(logits.detach(), candidates)).sum()
        if not total.requires_grad:
            what = f"the answers of {classifier.name} do not follow from its layer {layer.name} by gradients"
            raise ConfigurationError(explain(what, then=NAME_IT))
        (gradients,) = torch.autograd.grad(total, seen[-1], allow_unused=True, materialize_grads=True)
    features, gradients = (layer.reading.maps(one.detach().float()) for one in (seen[-1], gradients))
    undefined = ~sound(logits)[:, None, None, None]
    result = {}
    for method in methods:
        weights = (_gradcam if method == GRADCAM else _gradcam_plus_plus)(features, gradients)
        small = (weights[:, :, None, None] * features).sum(1, keepdim=True).relu().masked_fill(undefined, torch.nan)
        result[method] = functional.interpolate(small, images.shape[2:], mode="bilinear")[:, 0]
    return result


def _gradcam(_features: torch.Tensor, gradients: torch.Tensor) -> torch.Tensor:
    return gradients.mean((2, 3))


def _gradcam_plus_plus(features: torch.Tensor, gradients: torch.Tensor) -> torch.Tensor:
    import torch

    positive = gradients.relu()
    below = 2 + positive * features.sum((2, 3), keepdim=True)
    return torch.where(below == 0, 0, positive / below).sum((2, 3))
