"""All that a fine-tuning depends on, but for its images; known without torch."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from fornet_hf.arguments import require
from producers.diffusion.concepts import Concepts

MODEL = "CompVis/stable-diffusion-v1-4"

FREE = frozenset({"steps", "lr"})
"""Settings that may change when a training goes on."""


@dataclass(frozen=True, kw_only=True)
class TuningSettings:
    """The published values; how long to train was not published as a number of steps.

    Attributes:
        concepts: the prompts.
        model: that the training starts from: id on the Hub or a folder.
        revision: of it on the Hub.
        side: of the square images, pixels; a multiple of 64.
        steps: of the optimizer.
        batch_size: images a step, of all processes together.
        lr: learning rate, once warmed up.
        warmup: steps in which it rises to that.
        decay: of the moving average of the weights, at most; it is lower in the first steps.
        whole: share of visits that show the whole image under the object's prompt.
        precision: of products: float32 or bfloat16.
        seed: of all that is drawn.
    """

    concepts: Concepts
    model: str = MODEL
    revision: str | None = None
    side: int = 512
    steps: int = 20000
    batch_size: int = 8
    lr: float = 1e-4
    warmup: int = 1
    decay: float = 0.9999
    whole: float = 0.5
    precision: str = "bfloat16"
    seed: int = 0

    def __post_init__(self) -> None:
        require(self.side >= 64 and self.side % 64 == 0, "side", self.side, "a multiple of 64")
        for name in ("steps", "batch_size"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "1 or more")
        for name in ("warmup", "seed"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "0 or more")
        require(0 < self.lr < math.inf, "lr", self.lr, "above 0")
        require(0 <= self.decay < 1, "decay", self.decay, "0 to below 1")
        require(0 <= self.whole <= 1, "whole", self.whole, "0 to 1")
        for name, prompt in asdict(self.concepts).items():
            require(bool(prompt.strip()), f"the prompt of the {name}", prompt, "some words")

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, from 0."""
        return self.lr * min(1.0, (step + 1) / (self.warmup + 1))

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return asdict(self)
