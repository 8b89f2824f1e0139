"""The folder of a run: configuration, figures of each epoch, and the last checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.files import atomic_path
from training.config import TrainConfig
from training.processes import Place


class Run:
    """A run's folder; only the first process writes.

    Raises:
        ConfigurationError: the folder holds a run with another configuration.
    """

    def __init__(self, config: TrainConfig, here: Place) -> None:
        self._folder, self._writes = config.folder, here.is_first
        stored = self._folder / "config.json"
        if self.checkpoint.exists() and (differences := config.differences(json.loads(stored.read_text()))):
            raise ConfigurationError(
                explain(
                    f"{self._folder} holds a run with another configuration",
                    found="; ".join(differences),
                    then="Name another folder with --out, or delete this one.",
                )
            )
        if self._writes:
            self._folder.mkdir(parents=True, exist_ok=True)
            with atomic_path(stored) as temporary:
                temporary.write_text(json.dumps(config.to_json(), indent=2) + "\n")

    @property
    def checkpoint(self) -> Path:
        """The file of the last checkpoint."""
        return self._folder / "checkpoint.pt"

    def restore(self, model: nn.Module, optimizer: torch.optim.Optimizer, device: torch.device) -> int:
        """Load the last checkpoint, if there is one; return the number of epochs that are done."""
        if not self.checkpoint.exists():
            return 0
        state = torch.load(self.checkpoint, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        return int(state["epochs"])

    def finish_epoch(
        self, epoch: int, figures: dict[str, Any], model: nn.Module, optimizer: torch.optim.Optimizer
    ) -> None:
        """Note the figures of an epoch (from 0), then keep the model: what is killed between repeats the epoch."""
        if not self._writes:
            return
        self._note({"epoch": epoch, **figures})
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epochs": epoch + 1}
        with atomic_path(self.checkpoint) as temporary:
            torch.save(state, temporary)

    def _note(self, figures: dict[str, Any]) -> None:
        """Write the epoch's line; one of an epoch that is repeated is replaced."""
        path = self._folder / "metrics.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        kept = [line for line in lines if json.loads(line)["epoch"] < figures["epoch"]]
        with atomic_path(path) as temporary:
            temporary.write_text("\n".join([*kept, json.dumps(figures)]) + "\n")
