"""The figures of a run for TensorBoard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fornet_hf.packages import needing
from training.config import TrainConfig


class Board:
    """The folder `tensorboard` of a run.

    Args:
        config: of the run.
        first: epoch, from 0, that this call begins with; what was written of it and of later ones is hidden.

    Raises:
        MissingDependencyError: tensorboard is not installed.
    """

    def __init__(self, config: TrainConfig, first: int) -> None:
        with needing("--tensorboard", "tensorboard"):
            from torch.utils.tensorboard import SummaryWriter
        writer: Any = SummaryWriter  # has no types
        self._writer = writer(str(config.folder / "tensorboard"), purge_step=first)

    def epoch(self, epoch: int, figures: Mapping[str, Any]) -> None:
        """Write the figures of an epoch, from 0: those of metrics.jsonl, with `original/top1` for its top1."""
        for name, value in _flat(figures):
            self._writer.add_scalar(name, value, epoch)
        self._writer.flush()

    def close(self) -> None:
        """End the writer's thread."""
        self._writer.close()


def _flat(figures: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}/")
        else:
            yield prefix + name, value
