"""Classifiers by name, and their optimizer."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import nn

from fornet_hf.evaluation.models import build
from training.config import TrainConfig


def build_model(config: TrainConfig, classes: int) -> nn.Module:
    """Build the classifier `config.model`, with random weights.

    Raises:
        ConfigurationError: no such model.
        MissingDependencyError: its library is not installed.
    """
    name = "training.model:tiny" if config.model == "tiny" else config.model
    return build(name, classes, **config.model_options)


def tiny(num_classes: int) -> nn.Module:
    """Build three convolutions for demonstrations: they learn something on a CPU, and need no other library."""
    widths = (3, 16, 32, 64)
    blocks: list[nn.Module] = []
    for before, after in pairwise(widths):
        blocks += [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.GroupNorm(8, after), nn.GELU()]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], num_classes))


def build_optimizer(config: TrainConfig, model: nn.Module) -> torch.optim.Optimizer:
    """Build the optimizer: weights decay, biases and norms do not."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.lr, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(groups, lr=config.lr, betas=(0.9, 0.999))
