"""Classifiers by name, and their optimizer."""

from __future__ import annotations

import importlib
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from fornet_hf.errors import ConfigurationError, MissingDependencyError, explain
from training.config import TrainConfig


def build_model(config: TrainConfig, classes: int) -> nn.Module:
    """The classifier `config.model`, with random weights.

    Raises:
        ConfigurationError: no such model.
        MissingDependencyError: its library is not installed.
    """
    library, _, name = config.model.partition(":")
    if config.model == "tiny":
        return tiny(classes)
    if library == "timm" and name:
        build, names = _library("timm").create_model, _library("timm").is_model
    elif library == "torchvision" and name:
        models = _library("torchvision.models")
        build, names = models.get_model, models.list_models().__contains__
    else:
        raise ConfigurationError(
            explain("no such model", found=repr(config.model), allowed="tiny, timm:NAME or torchvision:NAME")
        )
    if not names(name):
        raise ConfigurationError(explain(f"{library} has no such model", found=repr(name)))
    model: nn.Module = build(name, num_classes=classes, **config.model_options)
    return model


def tiny(classes: int) -> nn.Module:
    """Three convolutions for demonstrations: learns something on a CPU, needs no other library."""
    widths = (3, 16, 32, 64)
    blocks: list[nn.Module] = []
    for before, after in pairwise(widths):
        blocks += [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.GroupNorm(8, after), nn.GELU()]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], classes))


def build_optimizer(config: TrainConfig, model: nn.Module) -> torch.optim.Optimizer:
    """Its optimizer; weights decay, biases and norms do not."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.lr, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(groups, lr=config.lr, betas=(0.9, 0.999))


def _library(name: str) -> Any:
    package = name.partition(".")[0]
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingDependencyError(f"this model needs {package}: pip install {package}") from error
