"""The folder of a training.

config.json     its settings; the same command goes on, another one is refused
log.jsonl       its figures, a line each time
checkpoint.pt   its last state, complete or not there
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fornet_hf.errors import ConfigurationError, IntegrityError, explain
from fornet_hf.files import atomic_path, write_text
from producers.training.noted import note_settings


@dataclass(frozen=True)
class TrainingRun:
    """The folder of a training; see the module.

    Attributes:
        folder: made when it is needed.
        writes: whether this process writes: of several the first.
    """

    folder: Path
    writes: bool = True

    @property
    def checkpoint(self) -> Path:
        """The file of the last state."""
        return self.folder / "checkpoint.pt"

    @property
    def log(self) -> Path:
        """The file of the figures."""
        return self.folder / "log.jsonl"

    def begin(self, settings: Mapping[str, Any], free: frozenset[str] = frozenset()) -> None:
        """Note the settings, or check that they are those which the training was begun with.

        Args:
            settings: JSON values.
            free: names of those that may change when the training goes on.

        Raises:
            ConfigurationError: others differ.
        """
        note_settings(self.folder / "config.json", settings, free, writes=self.writes)

    def restore(self) -> dict[str, Any]:
        """Return the last state, on the CPU; empty: there is none. Forget the figures of steps after it.

        Raises:
            IntegrityError: the file is damaged.
        """
        state = self._read() if self.checkpoint.is_file() else {}
        if self.writes and self.log.is_file():
            kept = [line for line in self.figures() if line["step"] <= state.get("step", -1)]
            write_text(self.log, "".join(json.dumps(line) + "\n" for line in kept))
        return state

    def _read(self) -> dict[str, Any]:
        import torch

        try:
            state: dict[str, Any] = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        except Exception as error:
            then = "Delete it to begin anew."
            raise IntegrityError(explain(f"{self.checkpoint}: damaged", found=error, then=then)) from error
        return state

    def save(self, step: int, state: Mapping[str, Any]) -> None:
        """Store the state after so many steps: what `torch.load` reads with `weights_only`."""
        if not self.writes:
            return
        import torch

        with atomic_path(self.checkpoint) as temporary:
            torch.save({"step": step, **state}, temporary)

    def note(self, step: int, **figures: float | str) -> None:
        """Append figures after so many steps to the log."""
        if self.writes:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, **figures}) + "\n")

    def figures(self) -> list[dict[str, Any]]:
        """Return the lines of the log; a last one that a killed process left half written is left out."""
        lines = self.log.read_text(encoding="utf-8").split("\n") if self.log.is_file() else []
        return [json.loads(line) for line in lines[:-1]]

    def check_loss(self, step: int, loss: float) -> None:
        """Raise a ConfigurationError if a loss is no number; the last state, from before, stays as it is."""
        if not math.isfinite(loss):
            kept = f"{self.checkpoint} is from before" if self.checkpoint.is_file() else "There is no checkpoint yet"
            then = f"{kept}. The same command with a lower --lr goes on."
            raise ConfigurationError(explain("the loss is not finite", found=f"{loss} at step {step}", then=then))
