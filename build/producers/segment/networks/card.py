"""The card of a trained segmenter: everything that its weights do not tell, as JSON in the metadata of their file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any

from fornet_hf.arguments import is_integer, is_number, require
from producers.devices.carded import keywords_of, object_of

FORMAT = 1
MAX_SIDE = 2048
LONGEST = 4
"""Times the shorter side; images that are longer are squeezed, in training and later."""

_MAX_WIDTH, _MAX_LEVELS = 4096, 7  # a card may come from anywhere, and its network is built before weights are read

_NAME = re.compile(r"[\w.-]{1,100}", re.ASCII)  # of an encoder; by those with a colon timm looks in the Hub

DECODERS = ("unet", "unetplusplus", "fpn", "linknet", "manet", "pspnet", "deeplabv3", "deeplabv3plus")
"""Decoders of `segmentation_models_pytorch`."""


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """A network, without its weights.

    Attributes:
        widths: channels of the plain U-Net's levels, from the top.
        classes: 1, or 2 of which the second is the object.
        bilinear: whether the plain U-Net scales up so; else by transposed convolutions.
        encoder: of `segmentation_models_pytorch`, with one class; None: it is the plain U-Net.
        decoder: of the same package, likewise.
    """

    widths: tuple[int, ...] = (64, 128, 256, 512, 1024)
    classes: int = 1
    bilinear: bool = False
    encoder: str | None = None
    decoder: str = "unet"

    def __post_init__(self) -> None:
        fits = (
            isinstance(self.widths, tuple)
            and 1 <= len(self.widths) <= _MAX_LEVELS
            and all(is_integer(one) and 2 <= one <= _MAX_WIDTH for one in self.widths)
        )
        require(fits, "widths", self.widths, f"1 to {_MAX_LEVELS} numbers from 2 to {_MAX_WIDTH}")
        require(self.classes in (1, 2) and is_integer(self.classes), "classes", self.classes, "1 or 2")
        require(isinstance(self.bilinear, bool), "bilinear", self.bilinear, "true or false")
        fits = self.encoder is None or (isinstance(self.encoder, str) and _NAME.fullmatch(self.encoder) is not None)
        require(fits, "encoder", self.encoder, "a name of letters, digits, '.', '_' and '-', or null")
        require(self.decoder in DECODERS, "decoder", self.decoder, ", ".join(DECODERS))
        require(self.encoder is None or self.classes == 1, "classes of an encoder", self.classes, "1")

    @property
    def multiple(self) -> int:
        """The number that both sides of its input are multiples of."""
        return 32 if self.encoder else 2 ** (len(self.widths) - 1)


@dataclass(frozen=True, kw_only=True)
class Card:
    """A trained segmenter.

    Attributes:
        network: its form.
        side: shorter side of the images that it saw, pixels.
        mean: of colours (0 to 1), subtracted from them.
        std: what the rest is divided by.
        threshold: probability above which a pixel is the object, 0 to 1.
        trained: for a person: preset, steps, scores, and what it was trained on, with digests.
    """

    network: NetworkSpec
    side: int
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.5, 0.5, 0.5)
    threshold: float = 0.5
    trained: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        least = self.network.multiple
        require(is_integer(self.side) and least <= self.side <= MAX_SIDE, "side", self.side, f"{least} to {MAX_SIDE}")
        require(_numbers(self.mean), "mean", self.mean, "3 numbers")
        require(_numbers(self.std) and min(self.std) > 0, "std", self.std, "3 numbers above 0")
        require(is_number(self.threshold) and 0 < self.threshold < 1, "threshold", self.threshold, "0 to 1")
        require(isinstance(self.trained, Mapping), "trained", self.trained, "an object")

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Return the card in a JSON text.

        Raises:
            ConfigurationError: it is none, or of a later format.
        """
        value = object_of(text, FORMAT)
        spec = NetworkSpec(**keywords_of(value.get("network"), NetworkSpec))
        return cls(**{**keywords_of(value, cls), "network": spec})


def _numbers(values: object) -> bool:
    return isinstance(values, tuple) and len(values) == 3 and all(is_number(one) and isfinite(one) for one in values)
