"""The card of a generator of layers: the form of its network, as JSON in the metadata of its file; without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any

from fornet_hf.arguments import is_integer, is_number, require
from producers.devices.carded import keywords_of, object_of

FORMAT = 1
SIDES = (16, 32, 64, 128, 256)
"""Sides of images that there are networks for, pixels."""

_WIDEST = 4096  # a card may come from anywhere, and its network is built before weights are read


@dataclass(frozen=True, kw_only=True)
class LayerSpec:
    """A generator of layers and its discriminator, without their weights.

    Attributes:
        side: of the images, pixels: one of `SIDES`.
        latent: numbers that an image is made from.
        style: numbers that a mapping network makes of them for each convolution.
        mapping: fully connected layers of a mapping network.
        base: channels times the side of the features, where that is below `most`.
        most: channels at most.
        mask_bias: logit that is added to all masks; above 0, masks are full rather than empty at first.
        clamp: largest magnitude of an activation, which keeps float16 from overflowing; None: there is none.
    """

    side: int = 64
    latent: int = 512
    style: int = 512
    mapping: int = 8
    base: int = 16384
    most: int = 256
    mask_bias: float = 0.0
    clamp: float | None = 256.0

    def __post_init__(self) -> None:
        require(is_integer(self.side) and self.side in SIDES, "side", self.side, ", ".join(map(str, SIDES)))
        for name, highest in {"latent": _WIDEST, "style": _WIDEST, "mapping": 32, "most": _WIDEST}.items():
            found = getattr(self, name)
            require(is_integer(found) and 1 <= found <= highest, name, found, f"1 to {highest}")
        highest = 256 * _WIDEST
        require(is_integer(self.base) and self.side <= self.base <= highest, "base", self.base, f"side to {highest}")
        fits = is_number(self.mask_bias) and isfinite(self.mask_bias)
        require(fits, "mask_bias", self.mask_bias, "a finite number")
        fits = self.clamp is None or (is_number(self.clamp) and self.clamp > 0 and isfinite(self.clamp))
        require(fits, "clamp", self.clamp, "a number above 0, or null")

    @property
    def resolutions(self) -> tuple[int, ...]:
        """The sides of the features, from 4 to that of the images, pixels."""
        return tuple(2**power for power in range(2, self.side.bit_length()))

    def channels(self, resolution: int) -> int:
        """Return the channels of the features of this side: `base / resolution`, at most `most`."""
        return min(self.base // resolution, self.most)


@dataclass(frozen=True, kw_only=True)
class GeneratorCard:
    """A trained generator of layers.

    Attributes:
        network: its form.
        trained: for a person: settings, images seen, and what it was trained on, with digests.
    """

    network: LayerSpec
    trained: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require(isinstance(self.trained, Mapping), "trained", self.trained, "an object")

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, text: str) -> GeneratorCard:
        """Return the card in a JSON text.

        Raises:
            ConfigurationError: it is none, or of a later format.
        """
        value = object_of(text, FORMAT)
        spec = LayerSpec(**keywords_of(value.get("network"), LayerSpec))
        return cls(**{**keywords_of(value, cls), "network": spec})
