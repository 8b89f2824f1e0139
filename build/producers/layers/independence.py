"""Independence of layers: how much the seen part of one tells of the hidden part of another, made small.

Zou et al., "ILSGAN: Independent Layer Synthesis for Unsupervised Foreground-Background Segmentation" (AAAI 2023). Two
pairs count: what the mask hides of the background with what it shows of the foreground, and what it hides of the
foreground with what it shows of the background. The bound on their mutual information is that of Cheng et al., "CLUB"
(ICML 2020): `mean log q(y_n | x_n) - mean log q(y_n | x_order(n))`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from producers.layers.composition import Layers

Distance = Callable[[torch.Tensor], torch.Tensor]  # of a difference


def laplace(layers: Layers, order: torch.Tensor) -> torch.Tensor:
    """Return the bound for a Laplace distribution around the other layer: of mean absolute differences.

    For both pairs it is `mean_n |x_order(n) - y_n| - mean_n |x_n - y_n|`, each averaged over channels and pixels. The
    gradient reaches the mask, and pixels that lie within -1 to 1.

    Args:
        layers: of n images, not shifted.
        order: int64, n: a permutation, drawn anew for each batch.
    """
    return _shuffled(layers, order, lambda difference: difference.abs())


def gaussian(layers: Layers, order: torch.Tensor) -> torch.Tensor:
    """Return the bound for a unit normal distribution around the other layer: as `laplace`, of half the squares."""
    return _shuffled(layers, order, lambda difference: difference.square() / 2)


def distance(layers: Layers) -> torch.Tensor:
    """Return minus the mean of `|b - f'| m + |f - b'| (1 - m)`, where no gradient reaches f' and b': no bound.

    It drives a hidden layer away from the one that is seen there. Pixels get a gradient within -1 to 1. The mask only
    says to which of the layers it goes: both distances are equal, so it has none itself.
    """
    foreground, background = within(layers.foreground), within(layers.background)
    hidden_background = (background - layers.foreground.detach()).abs() * layers.mask
    hidden_foreground = (foreground - layers.background.detach()).abs() * (1 - layers.mask)
    return -(hidden_background + hidden_foreground).mean()


def within(pixels: torch.Tensor) -> torch.Tensor:
    """Return the same pixels, whose gradient is stopped where they lie outside of -1 to 1."""
    return torch.where(pixels.abs() <= 1, pixels, pixels.detach())


def pairs(layers: Layers) -> tuple[tuple[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
    """Return hidden background and seen foreground, and hidden foreground and seen background.

    Each is n x 3 x side x side, and 0 where the mask leaves nothing of it.
    """
    foreground, background, mask = within(layers.foreground), within(layers.background), layers.mask
    rest = 1 - mask
    return (background * mask, foreground * mask), (foreground * rest, background * rest)


def _shuffled(layers: Layers, order: torch.Tensor, far: Distance) -> torch.Tensor:
    first, second = (far(x[order] - y).mean() - far(x - y).mean() for x, y in pairs(layers))
    return first + second
