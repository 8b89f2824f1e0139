"""A process that drives one GPU: it loads the models once and does one task after another."""

from __future__ import annotations

import json
import logging
import os
import socket
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.files import write_text
from producers.backends import Backends
from producers.candidate_folder import CandidateFolder
from producers.gpu_shard import Engine, segment_shard
from producers.model_settings import ModelSettings
from producers.plan import Task
from producers.pools import pool_of
from producers.report import Report


@dataclass
class GpuWorker:
    """Travels to its process as settings; what it loads there stays there.

    Attributes:
        settings: which models, and how patches are made.
        folder: of the run.
        workers: processes beside it; 0 does all in this one.
        window: pictures that the models get at a time.
    """

    settings: ModelSettings
    folder: CandidateFolder
    workers: int = 0
    window: int = 128
    _backends: Backends | None = field(default=None, init=False, repr=False)
    _pool: Executor | None = field(default=None, init=False, repr=False)

    def __call__(self, task: Task, device: str) -> Report:
        """Do a task that is not finished yet."""
        if self.folder.finished(task):
            return self.folder.report(task)
        log = _log_file(self.folder.root / "logs")
        log.info("%s: begins on %s", task.name, device)
        if self._backends is None:
            self._backends = self.settings.backends(device)
            note_models(self.folder.root, self._backends)
        if self._pool is None:
            self._pool = pool_of(self.workers)
        engine = Engine(backends=self._backends, pool=self._pool, encoding=self.settings.encoding, window=self.window)
        try:
            report = segment_shard(task, engine, self.folder)
        except BaseException:
            log.exception("%s: failed", task.name)
            raise
        log.info("%s: %s", task.name, report.summary())
        return report

    def close(self) -> None:
        """Let the processes beside it go."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


MODELS = "models.json"


def note_models(root: Path, backends: Backends) -> None:
    """Note which models a run really uses, with revisions and digests; later processes must use the same.

    Raises:
        ConfigurationError: they do not, for instance because the Hub has other weights by now.
    """
    path = root / MODELS
    value = json.loads(json.dumps(backends.to_json()))
    if not path.is_file():
        write_text(path, json.dumps(value, indent=1) + "\n")
    known = json.loads(path.read_text(encoding="utf-8"))
    if known != value:
        found = {name: value[name] for name in value if value[name] != known.get(name)}
        then = f"Name the revision on the command line, or delete {root} to begin anew."
        raise ConfigurationError(
            explain(f"{path}: this run uses other models", found=found, allowed=known, then=then)
        )


def read_models(root: Path) -> dict[str, Any]:
    """What `note_models` has noted; empty if no process has begun yet."""
    path = root / MODELS
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return value


def _log_file(folder: Path) -> logging.Logger:
    """A log of this process's own, so that processes of several machines can share the folder."""
    log = logging.getLogger(f"fornet.segment.{folder}")
    if not log.handlers:
        folder.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(folder / f"{socket.gethostname()}-{os.getpid()}.log", encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False
    return log
