"""Stimuli with masks for tests: a bright square on black, or one colour all over."""

from dataclasses import dataclass

import numpy as np

from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.recombination.draw.rng import generator
from tests.evaluation.fakes import Drawn
from tests.evaluation.saliency.networks import torch

PLAIN = Preprocessing(size=16, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


@dataclass(frozen=True)
class Squares(Drawn):
    """A square of another size in each item, brighter than the rest; every fifth item from the fourth has none."""

    background: int = 0
    conditions: tuple[str, ...] = ()

    def masked(self, item, preprocessing):
        if item % 5 == 3:
            return "no foreground"
        side = preprocessing.size
        rng = generator(self.seed, item)
        high, left = rng.integers(1, side // 2, 2)
        mask = np.zeros((side, side), np.float32)
        mask[high : high + 4 + item % 4, left : left + 4] = 1
        image = np.where(mask, rng.integers(100, 256, (3, 1, 1)), self.background)
        return image.astype(np.uint8), mask

    def area(self, item):
        return float(self.masked(item, PLAIN)[1].mean())


class Pixels(torch.nn.Module):
    """Answers with colours, each pixel by itself: where it is black, nothing matters."""

    def __init__(self):
        super().__init__()
        self.features = torch.nn.Conv2d(3, 3, 1, bias=False)
        self.features.weight = torch.nn.Parameter(torch.eye(3)[:, :, None, None] + 0.1)

    def forward(self, images):
        return self.features(images).mean((2, 3))


def pixels():
    return Classifier(name="pixels", revision="", network=Pixels().eval(), preprocessing=PLAIN)
