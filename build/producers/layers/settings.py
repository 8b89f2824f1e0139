"""The settings of a training of layers, and their presets; known without torch."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from producers.layers.networks.card import LayerSpec
from producers.training import options
from producers.training.options import check_limits, option

KINDS = ("laplace", "gaussian", "distance", "learned-laplace", "learned-gaussian", "none")
"""Losses of independence."""

SCHEDULES = ("constant", "two-steps", "cool-down", "cosine")
"""Courses of the weight of that loss."""

FREE = frozenset({"kimg", "lr", "every"})
"""Settings that may change when a training goes on."""

_PERIODS, _ON = 10, 0.25  # of a training, and share of each: `cool-down` is on for 200 of 800 kimg among 8,000


@dataclass(frozen=True, kw_only=True)
class LayerSettings:
    """All that a training depends on, beside its images; the `meaning` of a field is the help of its option.

    The defaults are those of Zou et al., "ILSGAN: Independent Layer Synthesis for Unsupervised Foreground-Background
    Segmentation" (AAAI 2023), for 64 pixels. A kimg is a thousand real images that the discriminator has seen.
    """

    side: int = option(64, "of the images, pixels")
    latent: int = option(512, "numbers that an image is made from")
    style: int = option(512, "numbers that a mapping network makes of them")
    mapping: int = option(8, "layers of a mapping network")
    base: int = option(16384, "channels of features times their side, where that is below --widest")
    widest: int = option(256, "channels of features at most")
    mask_bias: float = option(0.0, "logit that is added to all masks: above 0 they are rather full at first")
    kimg: int = option(8000, "thousands of images of the training, with which all schedules stretch")
    batch_size: int = option(32, "images a step, of all processes together")
    lr: float = option(0.0025, "learning rate of Adam")
    r1_every: int = option(16, "steps between penalties of the discriminator's gradient (R1)")
    gamma: float | None = option(None, "weight of the penalty; none: 0.0002 side^2 / batch size")
    ema_kimg: float | None = option(None, "half-life of the generator's average, kimg; none: batch size * 10 / 32")
    ramp: float | None = option(
        0.05, "that half-life at most, as share of the images seen so far; none: no such limit"
    )
    mixing: float = option(0.0, "share of the images whose styles are mixed of two latents")
    mirror: bool = option(False, "mirror every other image")
    shift: float = option(0.125, "share of the side by which foregrounds and masks are moved at most")
    binary: float = option(2.0, "weight of the loss of masks between 0 and 1")
    size: float = option(2.0, "weight of the loss of masks that are too small or too large")
    least: float = option(0.25, "share of an image that its mask has at least")
    most: float | None = option(None, "share that it has at most; none: no such loss")
    independence: str = option("laplace", "loss that makes the layers independent", KINDS)
    sigma: float | None = option(None, "weight of that loss; none: 1, or 0.001 if it is a learned one")
    schedule: str = option("two-steps", "course of that weight", SCHEDULES)
    first: float = option(0.2, "share of the weight that holds at first; constant has none")
    turn: float = option(0.05, "share of the training after which two-steps and cool-down have the whole weight")
    augment: float | None = option(
        0.6, "aim of the adaptive augmentation, mean sign of real logits; none: there is none"
    )
    augment_kimg: int = option(500, "kimg in which the strength of the augmentation can rise from 0 to 1")
    every: int = option(200, "kimg between generators that are kept, each with a checkpoint and a sheet of images")
    fid: int = option(0, "images of which FID and KID are computed for each of them; 0: they are not")
    seed: int = option(0, "of all that is drawn")

    def __post_init__(self) -> None:
        _ = self.network  # which says what its own values may be
        limits: dict[str, tuple[bool, str]] = {
            **{name: (getattr(self, name) >= 1, "1 or more") for name in _COUNTS},
            **{name: (0 <= getattr(self, name) < math.inf, "0 or more") for name in _WEIGHTS},
            **{name: (0 <= getattr(self, name) <= 1, "0 to 1") for name in _SHARES},
            **{name: (_within(getattr(self, name), math.inf), "0 or more, or none") for name in _OPTIONAL},
            "lr": (0 < self.lr < math.inf, "above 0"),
            "ramp": (self.ramp is None or 0 < self.ramp < math.inf, "above 0, or none"),
            "most": (self.most is None or self.least < self.most <= 1, "above --least to 1, or none"),
            "augment": (self.augment is None or 0 < self.augment < 1, "above 0 and below 1, or none"),
            "independence": (self.independence in KINDS, ", ".join(KINDS)),
            "schedule": (self.schedule in SCHEDULES, ", ".join(SCHEDULES)),
            "fid": (self.fid == 0 or self.fid >= 2, "0, or 2 and more"),
        }
        check_limits(self, limits)

    @property
    def network(self) -> LayerSpec:
        """The form of the generator, which is also that of the discriminator."""
        return LayerSpec(
            side=self.side,
            latent=self.latent,
            style=self.style,
            mapping=self.mapping,
            base=self.base,
            most=self.widest,
            mask_bias=self.mask_bias,
        )

    @property
    def steps(self) -> int:
        """The steps of the whole training."""
        return -(-1000 * self.kimg // self.batch_size)

    @property
    def penalty(self) -> float:
        """The weight `gamma` of R1, which is `gamma / 2` times the squared norm of the gradient."""
        return 0.0002 * self.side**2 / self.batch_size if self.gamma is None else self.gamma

    def decay(self, step: int) -> float:
        """Return what the generator's average keeps of itself in a step, from 0: 0 to 1."""
        half = 1000 * (10 / 32 * self.batch_size if self.ema_kimg is None else self.ema_kimg)
        if self.ramp is not None:
            half = min(half, self.ramp * step * self.batch_size)
        return float(0.5 ** (self.batch_size / max(half, 1e-8)))

    def independent(self, step: int) -> float:
        """Return the weight of the loss of independence in a step, from 0."""
        if self.independence == "none":
            return 0.0
        whole = self.sigma
        if whole is None:
            whole = 0.001 if self.independence.startswith("learned") else 1.0
        return whole * self._course(step / self.steps)

    def _course(self, done: float) -> float:
        """Return the share of the weight that holds when so much of the training is done, 0 to 1."""
        if self.schedule == "constant":
            return 1.0
        if self.schedule == "cosine":
            return self.first + (1 - self.first) * (1 - math.cos(math.pi * done)) / 2
        if self.schedule == "cool-down" and done * _PERIODS % 1 >= _ON:
            return 0.0
        return self.first if done < self.turn else 1.0


def _within(value: float | None, high: float) -> bool:
    return value is None or 0 <= value < high


_COUNTS = ("kimg", "batch_size", "r1_every", "augment_kimg", "every")
_WEIGHTS = ("binary", "size", "first")
_SHARES = ("mixing", "shift", "least", "turn")
_OPTIONAL = ("gamma", "ema_kimg", "sigma")

_CPU = LayerSettings(
    side=16,
    latent=64,
    style=64,
    mapping=4,
    base=256,
    widest=64,
    kimg=40,
    gamma=0.3,
    shift=0.25,
    binary=1.0,
    size=10.0,
    least=0.2,
    most=0.45,
    augment=None,
    every=4,
)
_QUICK = replace(
    _CPU, latent=16, style=16, mapping=2, base=128, widest=16, kimg=2, batch_size=40, augment=0.6, every=1
)
PRESETS: Mapping[str, LayerSettings] = MappingProxyType({"gpu": LayerSettings(), "cpu": _CPU, "quick": _QUICK})
"""`gpu`: the paper's values. `cpu`: minutes, for images of 16 pixels. `quick`: seconds, to see whether it runs."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for each field, and `--preset`, which gives what they do not."""
    options.add_options(parser, PRESETS, "gpu")


def asked(arguments: argparse.Namespace) -> LayerSettings:
    """Return the settings that the options ask for.

    Raises:
        ConfigurationError: a value is not allowed.
    """
    return options.asked(arguments, PRESETS)
