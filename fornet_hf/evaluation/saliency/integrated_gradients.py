"""Integrated gradients (Sundararajan, Taly and Yan, ICML 2017), on batches.

The attribution of a value x_i is (x_i - b_i) times the mean of dS/dx_i along the straight line from the baseline b to
the image x, S being a logit. Attributions of an image sum to S(x) - S(b) (completeness), up to the error of the
numerical integration. They do not depend on how a classifier scales its input colours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.saliency.scores import chosen, frozen, scores, sound

if TYPE_CHECKING:
    import torch

    from fornet_hf.evaluation.models.classifier import Classifier


def integrated_gradients(
    classifier: Classifier,
    images: torch.Tensor,
    candidates: torch.Tensor | None = None,
    *,
    steps: int = 50,
    baseline: str = "black",
    batch: int | None = None,
) -> torch.Tensor:
    """Return signed attributions (float32, n x 3 x height x width); no numbers where the logits are none.

    Args:
        classifier: any whose logits have gradients.
        images: float32, n x 3 x height x width, 0 to 1.
        candidates: see `chosen`; the output is chosen for the image and stays the same along the line.
        steps: points on the line, by Gauss and Legendre's rule.
        baseline: "black", or "mean": the mean colour that the classifier's preprocessing subtracts.
        batch: most images in a pass, at least n: points of several steps then share one; None: n.

    Raises:
        ConfigurationError: the logits have no gradients.
    """
    import torch

    nodes, lengths = np.polynomial.legendre.leggauss(steps)  # of -1 to 1
    positions, shares = images.new_tensor((nodes + 1) / 2), images.new_tensor(lengths / 2)
    colour = classifier.preprocessing.mean if baseline == "mean" else (0, 0, 0)
    start = images.new_tensor(colour).view(3, 1, 1)
    difference = images - start
    mean = torch.zeros_like(images)
    together = max((batch or 0) // max(len(images), 1), 1)
    with frozen(classifier.network):
        with torch.no_grad():
            answers = classifier.logits(images)
            outputs = chosen(answers, candidates)
        for some, weights in zip(torch.split(positions, together), torch.split(shares, together), strict=True):
            points = (start + some.view(-1, 1, 1, 1, 1) * difference).flatten(0, 1).requires_grad_()
            with torch.enable_grad():
                total = scores(classifier.logits(points), outputs.repeat(len(some))).sum()
                if not total.requires_grad:
                    then = "Let its forward() give logits that torch can differentiate."
                    what = f"the answers of {classifier.name} do not follow from the image by gradients"
                    raise ConfigurationError(explain(what, then=then))
                (gradients,) = torch.autograd.grad(total, points)
            mean += torch.einsum("s,snchw->nchw", weights, gradients.view(-1, *images.shape))
    return (difference * mean).masked_fill(~sound(answers)[:, None, None, None], torch.nan)
