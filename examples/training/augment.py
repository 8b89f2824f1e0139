"""Changes of images after recombination. Crop and flip are part of recombination: they cost less there."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from fornet_hf.errors import MissingDependencyError
from training.config import TrainConfig

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as models by others expect them


@dataclass(frozen=True)
class ToBytes:
    """RGB image -> uint8 tensor (3, height, width). Bytes travel to the GPU at a quarter of the cost of floats.

    Attributes:
        augment: called on the image before.
    """

    augment: Callable[[Image.Image], Image.Image] | None = None

    def __call__(self, image: Image.Image) -> torch.Tensor:
        """Return the bytes of an image, augmented."""
        image = image if self.augment is None else self.augment(image)
        return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()


def normalized(images: torch.Tensor) -> torch.Tensor:
    """Return bytes (... x 3 x height x width) as floats with mean 0 and deviation 1 over ImageNet."""
    mean, std = (torch.tensor(values, device=images.device).view(3, 1, 1) * 255 for values in (MEAN, STD))
    return (images.float() - mean) / std


def image_transform(config: TrainConfig) -> ToBytes:
    """Return what the loading processes do to each image on its own."""
    steps: list[Any] = []
    if config.augment == "randaugment":
        steps.append(v2().RandAugment(num_ops=2, magnitude=9, interpolation=v2().InterpolationMode.BILINEAR))
    elif config.augment == "3augment":
        blur = v2().GaussianBlur(5, sigma=(0.1, 2.0))
        steps.append(v2().RandomChoice([v2().Grayscale(3), v2().RandomSolarize(128, p=1.0), blur]))
    if config.color_jitter:
        steps.append(v2().ColorJitter(*[config.color_jitter] * 3))
    return ToBytes(v2().Compose(steps) if steps else None)


def batch_transform(config: TrainConfig, classes: int) -> Callable[..., Any] | None:
    """Return MixUp and CutMix, to be called on a normalized batch and its labels; None if neither is asked for."""
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
