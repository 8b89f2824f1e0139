"""The learning rate over a training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from training.config import TrainConfig


@dataclass
class Schedule:
    """The learning rate at each moment of a run; a plateau remembers what evaluations found.

    Attributes:
        config: of the run.
        best: lowest loss of an evaluation so far.
        waited: evaluations since then, or since the rate fell.
        factor: product of all falls so far.
    """

    config: TrainConfig
    best: float = math.inf
    waited: int = 0
    factor: float = 1.0

    def rate(self, epoch: float) -> float:
        """Return the learning rate at a (fractional) epoch: a linear rise from 0, then what the schedule says."""
        config = self.config
        if epoch < config.warmup_epochs:
            return config.lr * epoch / config.warmup_epochs
        if config.schedule == "cosine":
            done = (epoch - config.warmup_epochs) / max(config.epochs - config.warmup_epochs, 1e-9)
            return config.min_lr + (config.lr - config.min_lr) * (1 + math.cos(math.pi * min(done, 1.0))) / 2
        if config.schedule == "step":
            return float(config.lr * config.decay ** sum(epoch >= milestone for milestone in config.milestones))
        return (
            max(config.lr * self.factor, min(config.lr, config.min_lr)) if config.schedule == "plateau" else config.lr
        )

    def note(self, loss: float) -> None:
        """Take the loss of an evaluation into account: lower than all before by 0.01 %, or not.

        The rule and its threshold are those of torch's ReduceLROnPlateau.
        """
        if loss < self.best * (1 - 1e-4):
            self.best, self.waited = loss, 0
            return
        self.waited += 1
        if self.waited > self.config.patience:
            self.waited, self.factor = 0, self.factor * self.config.decay

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"best": self.best, "waited": self.waited, "factor": self.factor}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take what a checkpoint kept."""
        self.best, self.waited, self.factor = state["best"], state["waited"], state["factor"]
