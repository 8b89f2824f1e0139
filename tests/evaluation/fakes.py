"""Stimuli and classifiers for tests: drawn images, and networks whose answers are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fornet_hf.evaluation.labels.mapping import LabelMap
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.stimuli.protocol import Shown, View
from fornet_hf.recombination.draw.rng import generator

SMALL = Preprocessing(size=32)


@dataclass(frozen=True)
class Drawn:
    """Noise images of `count` items in some conditions; every fifth item lacks the last condition."""

    count: int = 23
    conditions: Sequence[str] = ("original", "all", "cell 4")
    seed: int = 0

    @property
    def keys(self) -> list[str]:
        return [f"item {number}" for number in range(self.count)]

    sources = keys

    @property
    def labels(self) -> np.ndarray:
        return np.arange(self.count, dtype=np.int64) % len(self.class_names)

    class_names = ("red", "green", "blue")

    @property
    def fingerprint(self) -> str:
        return f"drawn {self.seed}"

    def shown(self, item: int, preprocessing: Preprocessing) -> Shown:
        left_out = {len(self.conditions) - 1: "no room"} if item % 5 == 3 else {}
        views = [
            View(column, self.image(item, column, preprocessing.size), f"background {item}", item % 3)
            for column in range(len(self.conditions))
            if column not in left_out
        ]
        return Shown(views, left_out)

    def image(self, item: int, column: int, side: int) -> np.ndarray:
        rng = generator(self.seed, item, column)
        tint = rng.integers(0, 128, (3, 1, 1))
        return (rng.integers(0, 128, (3, side, side)) + tint).astype(np.uint8)

    def brightest(self, item: int, column: int, side: int = 32) -> int:
        return int(self.image(item, column, side).sum((1, 2), dtype=np.int64).argmax())


def all_outputs(classes: int = 3) -> LabelMap:
    return LabelMap(np.arange(classes, dtype=np.int32))


def brightness(preprocessing: Preprocessing = SMALL, name: str = "brightness") -> Classifier:
    """A classifier that answers with the brightest colour."""
    import torch

    class Brightness(torch.nn.Module):
        def forward(self, images: Any) -> Any:
            std, mean = (images.new_tensor(one)[:, None, None] for one in (preprocessing.std, preprocessing.mean))
            return ((images * std + mean) * 255).round().sum((2, 3))

    return Classifier(name=name, revision="", network=Brightness(), preprocessing=preprocessing)


def convolutions(preprocessing: Preprocessing = SMALL, name: str = "convolutions", seed: int = 0) -> Classifier:
    """A classifier with random weights."""
    import torch
    from torch import nn

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 24, 3),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(24, 3),
        )
    return Classifier(name=name, revision="", network=network.eval(), preprocessing=preprocessing)


def remembering() -> Any:
    """A network that keeps a tensor from its first answer on, as some keep positions for the size of the image."""
    import torch

    class Remembering(torch.nn.Module):
        kept = None

        def forward(self, images: Any) -> Any:
            if self.kept is None:
                self.kept = images.new_ones(3)
            return images.mean((2, 3)) * self.kept

    return Remembering()
