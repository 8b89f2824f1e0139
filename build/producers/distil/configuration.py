"""The configuration of a segmenter's training, and the presets of two papers."""

from __future__ import annotations

import argparse
import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, get_type_hints

from fornet_hf.errors import ConfigurationError, explain
from producers.segment.networks.card import DECODERS, MAX_SIDE, NetworkSpec


def _option(default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True, kw_only=True)
class Training:
    """All that a training depends on, beside its pairs; the `meaning` of a field is the help of its option."""

    widths: tuple[int, ...] = _option((64, 128, 256, 512, 1024), "channels of the plain U-Net's levels")
    classes: int = _option(1, "channels of its answer: 1 (sigmoid), or 2 (softmax)")
    bilinear: bool = _option(False, "let it scale up bilinearly, in place of transposed convolutions")
    encoder: str | None = _option(None, "of segmentation_models_pytorch, e.g. resnet34 or tu-convnext_tiny")
    decoder: str = _option("unet", f"with an encoder: {', '.join(DECODERS)}")
    encoder_weights: str | None = _option(None, "weights of the encoder to begin with, e.g. imagenet; downloads them")
    side: int = _option(128, "of the square that is cut out of an image whose shorter side is the same, pixels")
    flip: bool = _option(True, "mirror every other square")
    colour: float = _option(0.0, "probability of each change of colour, 0 to 1")
    steps: int = _option(12_000, "of the training")
    batch_size: int = _option(32, "squares a step, of all processes together")
    lr: float = _option(0.002, "learning rate of Adam")
    decay: float = _option(1.0, "factor of the learning rate at each step of --decay-at")
    decay_at: tuple[int, ...] = _option((), "steps, such as 4000,5000")
    weight_decay: float = _option(0.0, "of Adam")
    validation: float = _option(0.1, "share of the pairs that are held back, where nothing else says which")
    most: int | None = _option(None, "pairs of each set at most, drawn by name")
    every: int = _option(500, "steps between evaluations, each with a checkpoint and a sheet of predictions")
    seed: int = _option(0, "of weights, order, squares and colours")

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
        for name, (fits, allowed) in limits.items():
            if not fits:
                option = f"--{name.replace('_', '-')}"
                raise ConfigurationError(explain(option, found=getattr(self, name), allowed=allowed))

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
    parser.add_argument("--preset", choices=[*PRESETS], default="concept", help="values of all others (%(default)s)")
    group = parser.add_argument_group("values in place of the preset's")
    hints = get_type_hints(Training)
    for item in dataclasses.fields(Training):
        values = [_text(getattr(preset, item.name)) for preset in PRESETS.values()]
        stated = values[0] if len({*values}) == 1 else " / ".join(values)
        group.add_argument(
            f"--{item.name.replace('_', '-')}",
            help=f"{item.metadata['meaning']} ({stated})",
            default=argparse.SUPPRESS,
            **_reading(hints[item.name]),
        )


def asked(arguments: argparse.Namespace) -> Training:
    """Return the training that the options ask for.

    Raises:
        ConfigurationError: a value is not allowed.
    """
    names = {item.name for item in dataclasses.fields(Training)} & {*vars(arguments)}
    given = {name: getattr(arguments, name) for name in names}
    return dataclasses.replace(PRESETS[arguments.preset], **given)


def _reading(kind: Any) -> dict[str, Any]:
    if kind is bool:
        return {"action": argparse.BooleanOptionalAction}
    readers: dict[Any, Callable[[str], Any]] = {int | None: int, str | None: str, tuple[int, ...]: _whole_numbers}
    return {"type": readers.get(kind, kind), "metavar": "VALUE"}


def _whole_numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(one) for one in text.split(",") if one)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not like 16,32,64") from error


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (",".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)) or "none"
