"""Changes of images after recombination. Crop and flip are part of recombination: they cost less there."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

import fornet_hf
from fornet_hf.errors import MissingDependencyError
from fornet_hf.mixing import AlternateConfig, mixer_of
from training.config import TrainConfig

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as models by others expect them


def normalized(images: torch.Tensor) -> torch.Tensor:
    """Return bytes (... x 3 x height x width) as floats with mean 0 and deviation 1 over ImageNet."""
    mean, std = (torch.tensor(values, device=images.device).view(3, 1, 1) * 255 for values in (MEAN, STD))
    return (images.float() - mean) / std


def image_transform(config: TrainConfig) -> Callable[..., Any]:
    """Return what the loading processes do to each image on its own, and to its mask if it has one."""
    steps: list[Any] = []
    if config.augment == "randaugment":
        steps.append(v2().RandAugment(num_ops=2, magnitude=9, interpolation=v2().InterpolationMode.BILINEAR))
    elif config.augment == "3augment":
        blur = v2().GaussianBlur(5, sigma=(0.1, 2.0))
        steps.append(v2().RandomChoice([v2().Grayscale(3), v2().RandomSolarize(128, p=1.0), blur]))
    if config.color_jitter:
        steps.append(v2().ColorJitter(*[config.color_jitter] * 3))
    # Bytes travel to the GPU at a quarter of the cost of floats.
    return v2().Compose([*steps, fornet_hf.to_uint8]) if steps else fornet_hf.to_uint8


def batch_transform(config: TrainConfig, classes: int) -> Callable[..., Any] | None:
    """Return what mixes a normalized batch, its labels and its masks if there are any; None if nothing does."""
    if config.methods:
        methods = tuple(replace(method, num_classes=classes) for method in config.methods)
        return mixer_of(AlternateConfig(methods=methods, seed=config.seed))
    steps = []
    if config.mixup:
        steps.append(v2().MixUp(alpha=config.mixup, num_classes=classes))
    if config.cutmix:
        steps.append(v2().CutMix(alpha=config.cutmix, num_classes=classes))
    if len(steps) == 2:
        transform: Callable[..., Any] = v2().RandomChoice(steps)
        return transform
    return steps[0] if steps else None


def v2() -> Any:
    """Import torchvision's transforms, which only some runs use."""
    try:
        return importlib.import_module("torchvision.transforms.v2")
    except ImportError as error:
        raise MissingDependencyError("this augmentation needs torchvision: pip install torchvision") from error
