"""The configuration of a segmenter's training, and the presets of two papers."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from producers.segment.networks.card import DECODERS, MAX_SIDE, NetworkSpec
from producers.training import options
from producers.training.options import check_limits, option


@dataclass(frozen=True, kw_only=True)
class Training:
    """All that a training depends on, beside its pairs; the `meaning` of a field is the help of its option."""

    widths: tuple[int, ...] = option((64, 128, 256, 512, 1024), "channels of the plain U-Net's levels")
    classes: int = option(1, "channels of its answer: 1 (sigmoid), or 2 (softmax)")
    bilinear: bool = option(False, "let it scale up bilinearly, in place of transposed convolutions")
    encoder: str | None = option(None, "of segmentation_models_pytorch, e.g. resnet34 or tu-convnext_tiny")
    decoder: str = option("unet", f"with an encoder: {', '.join(DECODERS)}")
    encoder_weights: str | None = option(None, "weights of the encoder to begin with, e.g. imagenet; downloads them")
    side: int = option(128, "of the square that is cut out of an image whose shorter side is the same, pixels")
    flip: bool = option(True, "mirror every other square")
    colour: float = option(0.0, "probability of each change of colour, 0 to 1")
    steps: int = option(12_000, "of the training")
    batch_size: int = option(32, "squares a step, of all processes together")
    lr: float = option(0.002, "learning rate of Adam")
    decay: float = option(1.0, "factor of the learning rate at each step of --decay-at")
    decay_at: tuple[int, ...] = option((), "steps, such as 4000,5000")
    weight_decay: float = option(0.0, "of Adam")
    validation: float = option(0.1, "share of the pairs that are held back, where nothing else says which")
    most: int | None = option(None, "pairs of each set at most, drawn by name")
    every: int = option(500, "steps between evaluations, each with a checkpoint and a sheet of predictions")
    seed: int = option(0, "of weights, order, squares and colours")

    def __post_init__(self) -> None:
        least = self.network.multiple
        limits: dict[str, tuple[bool, str]] = {
            "side": (self.side in range(least, MAX_SIDE + 1, least), f"multiples of {least} to {MAX_SIDE}"),
            "colour": (0 <= self.colour <= 1, "0 to 1"),
            "lr": (0 < self.lr < math.inf, "above 0"),
            "decay": (0 < self.decay <= 1, "above 0 to 1"),
            "decay_at": (all(step > 0 for step in self.decay_at), "steps from 1"),
            "weight_decay": (0 <= self.weight_decay < math.inf, "0 or more"),
            "validation": (0 < self.validation < 1, "above 0 and below 1"),
            "most": (self.most is None or self.most >= 2, "2 or more"),
            "encoder_weights": (self.encoder_weights is None or self.encoder is not None, "with --encoder only"),
            **{name: (getattr(self, name) >= 1, "1 or more") for name in ("steps", "batch_size", "every")},
        }
        check_limits(self, limits)

    @property
    def network(self) -> NetworkSpec:
        """The network that is trained."""
        if self.encoder is not None:
            return NetworkSpec(encoder=self.encoder, decoder=self.decoder)
        return NetworkSpec(widths=self.widths, classes=self.classes, bilinear=self.bilinear)

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, from 0."""
        return self.lr * self.decay ** sum(step >= at for at in self.decay_at)


PRESETS: Mapping[str, Training] = MappingProxyType(
    {
        "concept": Training(),
        "layers": Training(
            widths=(64, 128, 256, 512, 512),
            classes=2,
            bilinear=True,
            side=64,
            flip=False,
            colour=0.5,
            steps=6000,
            batch_size=64,
            lr=0.001,
            decay=0.2,
            decay_at=(4000,),
        ),
    }
)
"""`concept`: Dombrowski et al., "Foreground-Background Separation through Concept Distillation from Generative Image
Foundation Models" (ICCV 2023). `layers`: Zou et al., "ILSGAN: Independent Layer Synthesis for Unsupervised
Foreground-Background Segmentation" (AAAI 2023)."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for each field, and `--preset`, which gives what they do not."""
    options.add_options(parser, PRESETS, "concept")


def asked(arguments: argparse.Namespace) -> Training:
    """Return the training that the options ask for.

    Raises:
        ConfigurationError: a value is not allowed.
    """
    return options.asked(arguments, PRESETS)
