"""A process that selects versions on one GPU."""

from __future__ import annotations

import json
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fornet_hf.format.encoding import Encoding
from producers.choices import needing
from producers.tasks.candidate_folder import CandidateFolder
from producers.tasks.candidate_shards import CandidateShard
from producers.tasks.gpu_worker import GpuWorker, read_models
from producers.tasks.select_shard import Selection, select_shard
from producers.work.plan import Task
from producers.work.report import Report
from producers.work.settings import version_of

if TYPE_CHECKING:
    from producers.score.classifiers import Witnesses


@dataclass(frozen=True, kw_only=True)
class SelectSettings:
    """How versions are selected; a plain value that travels to worker processes.

    Attributes:
        run: the segmenting run whose candidates they are.
        classifiers: `timm:NAME` or `torchvision:NAME`; with none, the first version is taken.
        greys: backgrounds on which cut-outs are shown.
        precision: of the classifiers' matrix products.
        every: score images of one version too.
        views: a name in `VIEWS`: what classifiers are shown.
        encoding: of the candidates.
    """

    run: CandidateFolder
    classifiers: tuple[str, ...]
    greys: int = 31
    precision: str = "float32"
    every: bool = False
    views: str = "filled"
    encoding: Encoding

    def producer(self) -> dict[str, object]:
        """What the manifest says about how the patches were made: by which models, and how they were selected."""
        begun = json.loads((self.run.root / "run.json").read_text(encoding="utf-8"))["producer"]
        packages = ("fornet-hf", "pillow", "torch", "torchvision", "timm")
        return {
            "tool": "select_versions",
            **read_models(self.run.root),
            **{name: begun[name] for name in ("prompts", "merging") if name in begun},
            "classifiers": list(self.classifiers),
            "greys": self.greys,
            "precision": self.precision,
            "views": self.views,
            "versions": {name: version_of(name) for name in packages},
        }


class NoModels:
    """In the place of classifiers where none are asked for."""

    def to_json(self) -> dict[str, Any]:
        """As JSON object."""
        return {"classifiers": {}}


@dataclass
class SelectWorker(GpuWorker["Witnesses | NoModels"]):
    """Selects versions, shard by shard.

    Attributes:
        settings: how.
        batch_size: versions that classifiers see at a time, each on all greys.
    """

    settings: SelectSettings
    batch_size: int = 16

    def load(self, device: str) -> Witnesses | NoModels:
        """The classifiers, on a device."""
        if not self.settings.classifiers:
            return NoModels()
        with needing("scoring", "torch"):
            from producers.devices.placement import Placement
            from producers.score.classifiers import load_witnesses
        return load_witnesses(
            self.settings.classifiers,
            Placement(device, self.settings.precision),
            greys=self.settings.greys,
            batch_size=self.batch_size,
        )

    def do(self, task: Task, models: Witnesses | NoModels, pool: Executor) -> Report:
        """Write a patch shard and its scores."""
        witnesses = None if isinstance(models, NoModels) else models
        selection = Selection(witnesses=witnesses, pool=pool, every=self.settings.every, views=self.settings.views)
        candidates = CandidateShard(self.settings.run.shard(task))
        return select_shard(task, candidates, selection, self.folder, self.settings.run.report(task).lost)
