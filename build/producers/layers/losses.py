"""Losses of generator and discriminator, but for those of independence.

Sources: the non-saturating loss of Goodfellow et al. (NeurIPS 2014); R1 of Mescheder et al. (ICML 2018); the binary
loss and the size loss of Zou et al., "ILSGAN: Independent Layer Synthesis for Unsupervised Foreground-Background
Segmentation" (AAAI 2023).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.functional import softplus


def binary_loss(mask: torch.Tensor) -> torch.Tensor:
    """Return the mean of `min(m, 1 - m)`, 0 to 0.5, of masks from 0 to 1: it is 0 where all pixels are 0 or 1."""
    return torch.minimum(mask, 1 - mask).mean()


def size_loss(mask: torch.Tensor, least: float = 0.25, most: float | None = None) -> torch.Tensor:
    """Return the mean, over images, of the share by which a mask is smaller than `least`, or larger than `most`.

    Each image counts by itself: empty masks are not made up for by full ones.

    Args:
        mask: n x 1 x side x side, 0 to 1.
        least: smallest share of the image that costs nothing, 0 to 1.
        most: largest such share; None: a full mask costs nothing.
    """
    share = mask.mean((1, 2, 3))
    loss = (least - share).relu()
    return loss.mean() if most is None else (loss + (share - most).relu()).mean()


def generator_loss(logits: torch.Tensor) -> torch.Tensor:
    """Return the mean of `softplus(-logits)` of made images, the generator's non-saturating loss."""
    return softplus(-logits).mean()


def discriminator_loss(real: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """Return the mean of `softplus(-logits)` of real images plus that of `softplus(logits)` of made ones."""
    return softplus(-real).mean() + softplus(made).mean()


def gradient_penalty(
    discriminator: nn.Module, images: torch.Tensor, change: Callable[[torch.Tensor], torch.Tensor] | None = None
) -> torch.Tensor:
    """Return R1 without its factor `gamma / 2`: the mean, over images, of the squared norm of the logit's gradient.

    The gradient is that of `discriminator(change(images))` by the pixels of `images`. It is computed in float32,
    under autocast, too, and can be derived again by the discriminator's weights.

    Args:
        discriminator: gives n logits. It must be the module itself: what `torch.compile` makes of it cannot be
            derived twice, and wrappers that add up gradients of several processes do not see this.
        images: real ones, float, n x 3 x side x side.
        change: their augmentation, which can be derived twice; None: there is none.
    """
    with torch.autocast(images.device.type, enabled=False), torch.enable_grad():
        pixels = images.detach().float().requires_grad_()
        logits = discriminator(pixels if change is None else change(pixels))
        (gradient,) = torch.autograd.grad(logits.sum(), pixels, create_graph=True)
        return gradient.square().sum((1, 2, 3)).mean()
