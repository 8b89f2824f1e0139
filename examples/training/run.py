"""The folder of a run: configuration, figures of each epoch, and the last checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.files import atomic_path, write_text
from training.config import CONFIGURATION, TrainConfig
from training.loop import Trainer
from training.model import CHECKPOINT
from training.processes import Place


class Run:
    """A run's folder; only the first process writes.

    Raises:
        ConfigurationError: the folder holds a run with another configuration.
    """

    def __init__(self, config: TrainConfig, here: Place) -> None:
        self._folder, self._writes = config.folder, here.is_first
        stored = self._folder / CONFIGURATION
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
        return self._folder / CHECKPOINT

    @property
    def figures(self) -> list[dict[str, Any]]:
        """The figures of each epoch that is done, as metrics.jsonl has them."""
        return [json.loads(line) for line in self._log.read_text().splitlines()] if self._log.exists() else []

    @property
    def row(self) -> dict[str, Any]:
        """The row of results of the finished run; empty: there is none yet."""
        return dict(json.loads(self._row.read_text())) if self._row.exists() else {}

    @row.setter
    def row(self, value: dict[str, Any]) -> None:
        write_text(self._row, json.dumps(value, indent=2) + "\n")

    def restore(self, trainer: Trainer) -> int:
        """Load the last checkpoint, if there is one; return the number of epochs that are done."""
        if not self.checkpoint.exists():
            return 0
        # On the CPU: optimizers keep their count of steps where it lies, and would wait for a GPU to read it.
        state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        for name, part in _parts(trainer).items():
            if name in state:  # those of before there was a schedule to remember lack it
                part.load_state_dict(state[name])
        return int(state["epochs"])

    def finish_epoch(self, epoch: int, figures: dict[str, Any], trainer: Trainer) -> None:
        """Note the figures of an epoch (from 0), then keep the model: what is killed between repeats the epoch."""
        if not self._writes:
            return
        self._note({"epoch": epoch, **figures})
        state = {name: part.state_dict() for name, part in _parts(trainer).items()}
        with atomic_path(self.checkpoint) as temporary:
            torch.save({**state, "epochs": epoch + 1}, temporary)

    @property
    def _row(self) -> Path:
        return self._folder / "row.json"

    @property
    def _log(self) -> Path:
        return self._folder / "metrics.jsonl"

    def _note(self, figures: dict[str, Any]) -> None:
        """Write the epoch's line; one of an epoch that is repeated is replaced."""
        kept = [line for line in self.figures if line["epoch"] < figures["epoch"]]
        with atomic_path(self._log) as temporary:
            temporary.write_text("".join(json.dumps(line) + "\n" for line in [*kept, figures]))


def _parts(trainer: Trainer) -> dict[str, Any]:
    """Return all of a run that has a state, by its name in checkpoints."""
    parts = {"model": trainer.bare, "optimizer": trainer.optimizer, "schedule": trainer.schedule}
    return parts if trainer.average is None else {**parts, "model_ema": trainer.average}
