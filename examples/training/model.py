"""Classifiers by name, and their optimizer."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fornet_hf.adapters import AdapterConfig, tune
from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.models import build, pretrained
from training.config import NONE, PRETRAINED, TrainConfig

OURS = {"tiny": "training.model:tiny", "preact_resnet18": "training.preact:preact_resnet18"}
"""Names of our own models, and where they are."""
WEIGHTS, ADAPTER, CHECKPOINT = "weights.safetensors", "adapter", "checkpoint.pt"
"""Files in a run's folder; the adapter is a folder of its own."""


def build_model(config: TrainConfig, classes: int) -> nn.Module:
    """Build the classifier `config.model`, with random weights or those that it begins with; tuned ones get adapters.

    Raises:
        ConfigurationError: no such model, its weights do not fit, or the adapter does not.
        NotFoundError: the weights are not there.
        MissingDependencyError: its library is not installed.
    """
    name = full_name(config)
    if config.base is None:
        return build(name, classes, **config.model_options)
    file = base_of(config)
    if file is None and config.model in OURS:
        then = "Name a file, or the folder of a run: --weights"
        raise ConfigurationError(explain(f"{config.model} has no pretrained weights", then=then))
    network = pretrained(name if file is None else f"{name}={file}", classes, **config.model_options)
    return network if config.tune == NONE else tune(network, adapter_of(config))


def full_name(config: TrainConfig) -> str:
    """Return the model's name as `fornet evaluate` takes it."""
    return OURS.get(config.model, config.model)


def base_of(config: TrainConfig) -> Path | None:
    """Return the file of weights that a run begins with; of another run's folder, its own; None: it is none."""
    if config.base in (None, PRETRAINED):
        return None
    path = Path(str(config.base)).expanduser()
    return next((path / name for name in (WEIGHTS, CHECKPOINT) if (path / name).is_file()), path)


def adapter_of(config: TrainConfig) -> AdapterConfig:
    """Return the settings of what a run tunes.

    Raises:
        ConfigurationError: a name or value is not allowed.
    """
    return AdapterConfig.from_json({**config.adapter, "kind": config.tune, "bn": config.bn})


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
        return torch.optim.SGD(groups, lr=config.lr, momentum=0.9, nesterov=config.nesterov)
    kind = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    return kind(groups, lr=config.lr, betas=(0.9, 0.999))
