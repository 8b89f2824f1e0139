"""A process that drives a GPU: it loads models once and does one task after another."""

from __future__ import annotations

import json
import logging
import os
import socket
from abc import ABC, abstractmethod
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.files import write_text
from fornet_hf.processes import start_pool
from producers.devices.opencv import one_thread
from producers.devices.seats import Seat
from producers.work.plan import Task
from producers.work.progress import here
from producers.work.report import Report
from producers.work.run_folder import RunFolder


class Models(Protocol):
    """Loaded models that can say what they are."""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object, with revisions and digests."""


Loaded = TypeVar("Loaded", bound=Models)


@dataclass
class GpuWorker(ABC, Generic[Loaded]):
    """Work on one GPU. It travels to its process as settings, and what it loads there stays there.

    Attributes:
        folder: of the run.
        workers: processes beside it; 0 does all in this one.
    """

    folder: RunFolder
    workers: int
    _models: Loaded | None = field(default=None, init=False, repr=False)
    _seat: Seat = field(default_factory=Seat, init=False, repr=False)
    _pool: Executor | None = field(default=None, init=False, repr=False)

    @abstractmethod
    def load(self, device: str) -> Loaded:
        """Load the models onto a device."""

    @abstractmethod
    def do(self, task: Task, models: Loaded, pool: Executor) -> Report:
        """Do a task; its report makes it finished."""

    def __call__(self, task: Task, seat: Seat) -> Report:
        """Do a task, unless it is finished already, and return its report."""
        if self.folder.finished(task):
            return self.folder.report(task)
        log = _log(self.folder.root / "logs")
        log.info("%s: begins on %s", task.name, seat.name)
        try:
            report = self._do(task, seat)
        except BaseException:
            log.exception("%s: failed", task.name)
            raise
        log.info("%s: %s", task.name, report.summary())
        return report

    def _do(self, task: Task, seat: Seat) -> Report:
        if self._models is None:
            self.folder = replace(self.folder, where=here(seat.name))
            self._models, self._seat = self.load(seat.device), seat  # which says it if there is no GPU, or no torch
            seat.limit_memory()
            note_models(self.folder.root, self._models)
        if self._pool is None:
            self._pool = start_pool(self.workers, one_thread)
        return self.do(task, self._models, self._pool)

    def close(self) -> None:
        """Let the processes beside it go."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


MODELS = "models.json"


def note_models(root: Path, models: Models) -> None:
    """Note which models a run really uses, with revisions and digests; later processes must use the same.

    Raises:
        ConfigurationError: they do not, for instance because a file of weights is another one by now.
    """
    path = root / MODELS
    value = json.loads(json.dumps(models.to_json()))
    if not path.is_file():
        write_text(path, json.dumps(value, indent=1) + "\n")
    known = read_models(root)
    if known != value:
        found = {name: value[name] for name in value if value[name] != known.get(name)}
        then = f"Bring back the models that the run began with, or delete {root} to begin anew."
        raise ConfigurationError(
            explain(f"{path}: this run uses other models", found=found, allowed=known, then=then)
        )


def read_models(root: Path) -> dict[str, Any]:
    """Return what `note_models` has noted; empty if no process has begun yet."""
    path = root / MODELS
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return value


def _log(folder: Path) -> logging.Logger:
    """Return a log of this process's own, so that processes of several machines can share the folder."""
    log = logging.getLogger(f"fornet.{folder}")
    if not log.handlers:
        folder.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(folder / f"{socket.gethostname()}-{os.getpid()}.log", encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False
    return log
