"""Changes of images after recombination. Crop and flip are part of recombination: they cost less there."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import torch
from torch import nn

import fornet_hf
from fornet_hf.errors import MissingDependencyError
from fornet_hf.mixing import AlternateConfig, mixer_of
from fornet_hf.mixing.alternation import BATCH, PROBABILITY
from training.config import TrainConfig

Colour: TypeAlias = tuple[float, ...]
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as models by others expect them


def colours_of(network: nn.Module) -> tuple[Colour, Colour]:
    """Return mean and deviation, 0 to 1, of the colours that a network expects: by timm, else ImageNet's."""
    known = getattr(network, "pretrained_cfg", None) or {}
    return tuple(known.get("mean", MEAN)), tuple(known.get("std", STD))


def normalized(images: torch.Tensor, mean: Colour = MEAN, std: Colour = STD) -> torch.Tensor:
    """Return bytes (... x 3 x height x width) as floats with mean 0 and deviation 1 where colours are as they say."""
    colours = torch.tensor([mean, std]).view(2, 3, 1, 1) * 255
    shift, scale = colours.to(images.device, non_blocking=True).unbind()  # no GPU is waited for
    return (images.float() - shift) / scale


def image_transform(config: TrainConfig) -> Callable[..., Any]:
    """Return what the loading processes do to each recombined image on its own, and to its mask if it has one."""
    steps = _steps(config)
    # Bytes travel to the GPU at a quarter of the cost of floats.
    return v2().Compose([*steps, fornet_hf.to_uint8]) if steps else fornet_hf.to_uint8


def whole_transform(config: TrainConfig) -> Callable[..., Any]:
    """Return what the loading processes do to an image that is not recombined, crop and flip included."""
    size = config.size
    crops: dict[str, Callable[[], list[Any]]] = {
        "random": lambda: [v2().RandomResizedCrop(size, antialias=True)],
        "padded": lambda: [v2().Resize((size, size)), v2().RandomCrop(size, padding=size // 8)],
        "centre": lambda: [v2().Resize(size), v2().CenterCrop(size)],
    }
    flip = [v2().RandomHorizontalFlip(config.flip)] if config.flip else []
    return v2().Compose([*crops[config.crop](), *flip, *_steps(config), fornet_hf.to_uint8])  # type: ignore[no-any-return]


def _steps(config: TrainConfig) -> list[Any]:
    steps: list[Any] = []
    if config.rotate:
        steps.append(v2().RandomRotation(config.rotate, interpolation=v2().InterpolationMode.BILINEAR))
    if config.augment == "randaugment":
        steps.append(v2().RandAugment(num_ops=2, magnitude=9, interpolation=v2().InterpolationMode.BILINEAR))
    elif config.augment == "3augment":
        blur = v2().GaussianBlur(5, sigma=(0.1, 2.0))
        steps.append(v2().RandomChoice([v2().Grayscale(3), v2().RandomSolarize(128, p=1.0), blur]))
    if config.color_jitter:
        steps.append(v2().ColorJitter(*[config.color_jitter] * 3))
    return steps


def batch_transform(config: TrainConfig, classes: int) -> Callable[..., Any] | None:
    """Return what mixes a normalized batch, its labels and its masks if there are any; None if nothing does."""
    if config.methods:
        methods = tuple(replace(method, num_classes=classes) for method in config.methods)
        return mixer_of(
            AlternateConfig(methods=methods, by=BATCH if config.mix_in_turn else PROBABILITY, seed=config.seed)
        )
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
