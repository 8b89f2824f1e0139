"""Pretrained classifiers as witnesses: of the object in a cut-out, and of nothing of it in a background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.models import load
from fornet_hf.evaluation.models.classifier import Classifier
from producers.devices.batches import BatchSize, run_batched
from producers.devices.placement import Placement
from producers.score.score import Evidence, View


@dataclass(frozen=True, kw_only=True)
class Witnesses:
    """Several classifiers, whose probabilities are averaged.

    Attributes:
        classifiers: at least one.
        placement: of them.
        greys: number of grey backgrounds, from black to white, on which a cut-out is shown.
        batch_size: versions at a time; a cut-out is there once for each grey.
    """

    classifiers: tuple[Classifier, ...]
    placement: Placement
    greys: int = 31
    batch_size: BatchSize = field(default_factory=lambda: BatchSize(16))

    @property
    def side(self) -> int:
        """Pixels at which views should be made: those of the most demanding classifier."""
        return max(one.preprocessing.size for one in self.classifiers)

    def to_json(self) -> dict[str, Any]:
        """Return names and revisions as JSON object."""
        return {"classifiers": {one.name: one.revision for one in self.classifiers}, "greys": self.greys}

    def evidence(self, views: Sequence[View], classes: int) -> list[Evidence]:
        """Return what they see in each version, of a set of so many classes.

        Raises:
            ConfigurationError: a classifier has another number of classes.
        """
        return run_batched(views, partial(self._evidence, classes), size=self.batch_size)

    def _evidence(self, classes: int, views: list[View]) -> list[Evidence]:
        labels = torch.tensor([one.label for one in views], device=self.placement.device)
        colours, backgrounds = (
            self._images([getattr(one, name) for one in views]) for name in ("colours", "background")
        )
        alpha = self._images([one.alpha[..., None] for one in views])
        greys = torch.linspace(0, 1, self.greys, device=self.placement.device).view(1, -1, 1, 1, 1)
        # colours are black outside of the object, so they are what alpha leaves of the cut-out already
        shown = (colours[:, None] + greys * (1 - alpha[:, None])).flatten(0, 1)
        repeated = labels.repeat_interleave(self.greys)
        with self.placement.inference():
            seen = self._mean([_probabilities(one, shown, repeated, classes) for one in self.classifiers])
            left = self._mean([_probabilities(one, backgrounds, labels, classes) for one in self.classifiers])
        seen = seen.view(len(views), -1).mean(1)
        return [Evidence(*pair) for pair in zip(seen.tolist(), left.tolist(), strict=True)]

    @staticmethod
    def _mean(probabilities: list[torch.Tensor]) -> torch.Tensor:
        return torch.stack(probabilities).mean(0)

    def _images(self, arrays: list[np.ndarray]) -> torch.Tensor:
        stacked = torch.from_numpy(np.stack(arrays)).to(self.placement.device)
        return stacked.permute(0, 3, 1, 2).float() / 255


def load_witnesses(names: Sequence[str], placement: Placement, *, greys: int = 31, batch_size: int = 16) -> Witnesses:
    """Load classifiers with their pretrained weights, fetched if need be.

    Raises:
        ForNetError: as `fornet_hf.evaluation.load`.
    """
    loaded = tuple(load(name, placement.device, use_test_size=False) for name in names)
    return Witnesses(classifiers=loaded, placement=placement, greys=greys, batch_size=BatchSize(batch_size))


def _probabilities(one: Classifier, images: torch.Tensor, labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Return a classifier's probabilities of the true classes (n).

    Args:
        one: the classifier.
        images: float32, n x 3 x height x width, 0 to 1.
        labels: the true classes (n).
        classes: number of classes of the images.

    Raises:
        ConfigurationError: the classifier has another number of classes, so that indices mean other things.
    """
    logits = one.logits(images)
    if logits.shape[1] != classes:
        allowed = f"{classes}, those of the images"
        then = "Choose a classifier of the same classes in the same order, or none: --classifiers"
        raise ConfigurationError(
            explain(f"{one.name} has other classes", found=logits.shape[1], allowed=allowed, then=then)
        )
    true: torch.Tensor = logits.softmax(1).gather(1, labels[:, None])[:, 0]
    return true
