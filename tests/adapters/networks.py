"""Small networks to tune, and adapters that are no identity."""

from __future__ import annotations

import torch
from torch import nn

from fornet_hf.adapters.tuning import trainable


def small(classes: int = 5, seed: int = 0) -> nn.Module:
    """A classifier of images of 8 x 8 and larger, with batch normalisation; the same weights each time."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        first = [nn.Conv2d(3, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU()]
        second = [nn.Conv2d(12, 12, 3, stride=2, groups=2), nn.BatchNorm2d(12), nn.ReLU()]
        features = nn.Sequential(*first, *second, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 16), nn.ReLU())
        return nn.Sequential(features, nn.Linear(16, classes))


def stir(network: nn.Module, scale: float = 0.3) -> nn.Module:
    """Give all that is trained random values, as training would."""
    with torch.no_grad():
        for _, parameter in trainable(network):
            parameter.normal_(std=scale)
    return network


def step(network: nn.Module, images: torch.Tensor) -> None:
    """One step of training."""
    network.train()
    optimizer = torch.optim.SGD([parameter for _, parameter in trainable(network)], lr=0.1)
    network(images).square().mean().backward()
    optimizer.step()
