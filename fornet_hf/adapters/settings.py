"""The settings of an adapter: a frozen value, validated once, to JSON and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fornet_hf.arguments import check_keywords, is_number, keywords, plain, positive, require

LORA, OFT, FULL, HEAD = KINDS = ("lora", "oft", "full", "head")
FREEZE, ADAPT = STATISTICS = ("freeze", "adapt")
FILE = "adapter.json"
"""The file with the settings, by which the folder of an adapter is known."""


@dataclass(frozen=True, kw_only=True)
class AdapterConfig:
    """The parts of a classifier that are tuned, and how.

    Attributes:
        kind: "lora" adds a product of two small matrices to each weight (arXiv 2106.09685), "oft" multiplies it by a
            rotation (arXiv 2306.07280), "head" tunes the last layer alone, "full" all weights. The last layer is
            always tuned.
        targets: names of the linear layers and convolutions that get an adapter, as `named_modules` of the network
            calls them, or patterns such as `layer4.*.conv?`. Empty: all that can have one, but for the head, and for
            LoRA on convolutions of several groups, which cannot be merged.
        rank: inner side of LoRA's two matrices, 1 or more.
        alpha: LoRA's product counts alpha / rank times; above 0.
        blocks: of a rotation, 1 or more. Each turns its share of a weight's columns among each other, so more blocks
            have fewer parameters. They must divide the columns: input channels / groups * kernel height * width.
        dropout: share of a layer's inputs that LoRA's matrices do not see in a step of training, or of a rotation's
            blocks that are left out; from 0 to below 1.
        head: names of the last layers, likewise; empty: they are found.
        bn: "freeze" keeps the statistics of batch normalisation as they are, also in training; "adapt" lets them
            follow the batches, and they belong to the adapter.

    Raises:
        ConfigurationError: a value that is not allowed.

    Example:
        >>> from fornet_hf.adapters import AdapterConfig
        >>> config = AdapterConfig(kind="lora", targets=["layer4.?.conv2"], rank=4, alpha=1)
        >>> AdapterConfig.from_json(config.to_json()) == config
        True
    """

    kind: str = LORA
    targets: tuple[str, ...] = ()
    rank: int = 4
    alpha: float = 1.0
    blocks: int = 16
    dropout: float = 0.0
    head: tuple[str, ...] = ()
    bn: str = FREEZE

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, plain(getattr(self, field.name)))
        for name, choices in (("kind", KINDS), ("bn", STATISTICS)):
            require(getattr(self, name) in choices, name, getattr(self, name), ", ".join(choices))
        for name in ("rank", "blocks"):
            positive(name, getattr(self, name))
        require(is_number(self.alpha) and 0 < self.alpha < 1e6, "alpha", self.alpha, "a number above 0")
        require(is_number(self.dropout) and 0 <= self.dropout < 1, "dropout", self.dropout, "from 0 to below 1")
        for name in ("targets", "head"):
            names = getattr(self, name)
            fits = isinstance(names, (tuple, list)) and all(isinstance(one, str) and one for one in names)
            require(fits, name, names, "names of layers")
            object.__setattr__(self, name, tuple(names))

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {**dataclasses.asdict(self), "targets": list(self.targets), "head": list(self.head)}

    @classmethod
    def from_json(cls, value: Any) -> AdapterConfig:
        """Return the settings in a JSON object; a missing name has its default.

        Raises:
            ConfigurationError: it is no object, has other names, or values that are not allowed.
        """
        require(isinstance(value, Mapping), "the adapter", value, "a JSON object of its settings")
        check_keywords(value, keywords(cls))
        return cls(**value)
