"""The lines that a run prints for people; metrics.jsonl has the same for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from training.config import TrainConfig
from training.processes import Place


class Lines:
    """The lines of a run; the time that is left is estimated from the epochs that were seen.

    Args:
        config: of the run.
        here: this process's place.
    """

    def __init__(self, config: TrainConfig, here: Place) -> None:
        self._config, self._device = config, devices(here)
        self._seconds: list[float] = []

    def start(self, first: int, images: int, classes: int) -> str:
        """Return the line before the first epoch of this call, from 0."""
        log = self._config.folder / "metrics.jsonl"
        if first >= self._config.epochs:
            return f"nothing is left to do: {log} has all {first} epochs"
        begun = f", after {first} epochs that are done" if first else ""
        return f"{self._config.epochs} epochs of {images:,} images, {classes:,} classes{begun}; log: {log}"

    def epoch(self, epoch: int, figures: Mapping[str, Any]) -> str:
        """Return the line of a finished epoch, from 0.

        Args:
            epoch: its number.
            figures: of metrics.jsonl: `train_loss`, `images_per_second`, `seconds`, and for each evaluation `top1`;
                under `average` those of the moving average, if there is one.
        """
        self._seconds.append(figures["seconds"])
        total = self._config.epochs
        left = (total - epoch - 1) * sum(self._seconds) / len(self._seconds)
        averaged = figures.get("average", {})
        measured = [
            f"{name} {figures[name]['top1']:.1%}" + (f" (average {averaged[name]['top1']:.1%})" if averaged else "")
            for name in self._config.evaluations
            if name in figures
        ]
        return "  ".join(
            [
                f"epoch {epoch + 1:{len(str(total))}}/{total}",
                f"loss {figures['train_loss']:.3f}",
                *([f"accuracy {', '.join(measured)}"] if measured else []),
                f"{figures['images_per_second']:,.0f} images/s",
                f"{duration(left)} left",
                self._device,
            ]
        )


def devices(here: Place) -> str:
    """Return the devices of all processes in words."""
    name = torch.cuda.get_device_name(here.device) if here.device.type == "cuda" else "CPU"
    return name if here.world == 1 else f"{here.world} x {name}"


def duration(seconds: float) -> str:
    """Return a time in its two largest units."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
