"""Selecting versions, a task at a time: from a candidate shard to a patch shard and the scores of every version."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from fornet_hf.errors import IntegrityError, explain
from fornet_hf.files import atomic_path
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.patch import Patch
from fornet_hf.format.shards import write_shard
from fornet_hf.packages import needing
from producers.score.betraying import Betraying
from producers.score.score import Evidence, View, best, score, view
from producers.tasks.candidate_shards import CandidatePatch, CandidateShard
from producers.tasks.gpu_worker import GpuWorker, read_models
from producers.work.plan import Labelled, Task
from producers.work.report import Lost, Report
from producers.work.run_folder import CandidateFolder, RunFolder
from producers.work.settings import version_of

if TYPE_CHECKING:
    from producers.score.witnesses import Witnesses

AHEAD = 2  # windows whose views are being made while classifiers look at another

SCORES = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("version", pa.uint8(), nullable=False),
        pa.field("prompt", pa.string(), nullable=False),
        pa.field("detection", pa.float32(), nullable=False),
        pa.field("foreground_ratio", pa.float32(), nullable=False),
        pa.field("p_foreground", pa.float64()),
        pa.field("p_background", pa.float64()),
        pa.field("score", pa.float64()),
        pa.field("chosen", pa.bool_(), nullable=False),
    ]
)
"""Columns of the scores: a row for each version; null where an image has only one and so was not looked at."""

Versions = tuple[CandidatePatch, ...]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Everything that a process needs to select versions.

    Attributes:
        witnesses: the classifiers, loaded; None chooses the first version, which is the most confident one.
        pool: for applying candidates to their images.
        views: a name in `VIEWS`.
        every: look at images of one version too, which changes nothing but the scores.
        window: images at a time.
        betraying: images whose backgrounds are left out; None: there are none.
    """

    witnesses: Witnesses | None
    pool: Executor
    views: str = "filled"
    every: bool = False
    window: int = 64
    betraying: Betraying | None = None


def select_shard(
    task: Task, candidates: CandidateShard, selection: Selection, folder: RunFolder, lost: Sequence[Lost]
) -> Report:
    """Write a task's patches and scores, then its report; each appears complete or not at all.

    Args:
        task: the source shard.
        candidates: made of it.
        selection: how to select.
        folder: of the run.
        lost: the images which have no candidates.

    Raises:
        IntegrityError: the candidates were made of other images, or with other labels.
        ForNetError: candidates or images cannot be read.
    """
    scores: list[dict[str, object]] = []
    with folder.reported(task, lost) as report:
        write_shard(folder.shard(task), _chosen(task, candidates, selection, report, scores), candidates.encoding)
        with atomic_path(scores_path(folder, task)) as temporary:
            pq.write_table(pa.Table.from_pylist(scores, schema=SCORES), temporary, compression="ZSTD")
    return report


def scores_path(folder: RunFolder, task: Task) -> Path:
    """Return where a task's scores go."""
    return folder.root / "scores" / f"{task.name}.parquet"


def _chosen(
    task: Task,
    candidates: CandidateShard,
    selection: Selection,
    report: Report,
    scores: list[dict[str, object]],
) -> Iterator[Patch]:
    for images, futures in _ahead(task, candidates, selection, report):
        with report.clock("wait for views"):
            views = [[future.result() for future in made] for made in futures]
        with report.clock("score"):
            shown = [one for made in views for one in made]
            classes = len(task.class_names)
            evidence = iter(selection.witnesses.evidence(shown, classes) if selection.witnesses else ())
        for versions, made in zip(images, views, strict=True):
            chosen, records = judge(versions, [next(evidence) for _ in made])
            scores.extend(records)
            report.ok += 1
            yield selection.betraying.spared(chosen) if selection.betraying else chosen


def judge(versions: Versions, evidence: Sequence[Evidence]) -> tuple[Patch, list[dict[str, object]]]:
    """Return the best version, and the scores of all; without evidence the first."""
    found = [
        score(one, version.patch.foreground_ratio, version.version, len(versions))
        for one, version in zip(evidence, versions, strict=False)
    ]
    chosen = best(found) if found else 0
    records: list[dict[str, object]] = [
        {
            "key": version.patch.key,
            "version": version.version,
            "prompt": version.prompt,
            "detection": version.score,
            "foreground_ratio": version.patch.foreground_ratio,
            "p_foreground": evidence[index].foreground if evidence else None,
            "p_background": evidence[index].background if evidence else None,
            "score": found[index] if found else None,
            "chosen": index == chosen,
        }
        for index, version in enumerate(versions)
    ]
    return versions[chosen].patch, records


Window = tuple[list[Versions], list[list["Future[View]"]]]


def _ahead(task: Task, candidates: CandidateShard, selection: Selection, report: Report) -> Iterator[Window]:
    """Windows of images whose views are made or being made."""
    matched = _matched(task, candidates)
    windows: deque[Window] = deque()
    while True:
        with report.clock("read"):
            window = list(islice(matched, selection.window))
        if not window:
            break
        windows.append(
            ([versions for _, versions in window], [_views(*one, candidates.encoding, selection) for one in window])
        )
        if len(windows) > AHEAD:
            yield windows.popleft()
    yield from windows


def _views(image: Labelled, versions: Versions, encoding: Encoding, selection: Selection) -> list[Future[View]]:
    if selection.witnesses is None or (len(versions) == 1 and not selection.every):
        return []
    side = selection.witnesses.side
    return [selection.pool.submit(view, image.data, one.patch, encoding, side, selection.views) for one in versions]


def _matched(task: Task, candidates: CandidateShard) -> Iterator[tuple[Labelled, Versions]]:
    """Images with their versions; those without any are passed over.

    Raises:
        IntegrityError: the candidates were made of other images, or with other labels.
    """
    waiting = candidates.by_image()
    versions = next(waiting, None)
    for image in task.read():
        if isinstance(image, Labelled) and versions is not None and versions[0].patch.key == image.key:
            _check_label(image, versions, candidates)
            yield image, versions
            versions = next(waiting, None)
    if versions is not None:
        what = f"{candidates.path}: candidates of an image that is not there, or not in this order"
        raise IntegrityError(explain(what, found=versions[0].patch.key, then="Give the images that were segmented."))


def _check_label(image: Labelled, versions: Versions, candidates: CandidateShard) -> None:
    if wrong := [one.patch.label for one in versions if one.patch.label != image.label]:
        what = f"{candidates.path}: label of {image.key}"
        then = "The classes have changed since these images were segmented: segment them anew."
        raise IntegrityError(explain(what, found=wrong[0], allowed=image.label, then=then))


@dataclass(frozen=True, kw_only=True)
class SelectSettings:
    """Settings of a selection; a plain value that travels to worker processes.

    Attributes:
        run: the segmenting run whose candidates they are.
        classifiers: as `fornet_hf.evaluation.load` names them; with none, the first version is taken.
        greys: backgrounds on which cut-outs are shown.
        precision: of the classifiers' matrix products.
        every: score images of one version too.
        views: a name in `VIEWS`: what classifiers are shown.
        encoding: of the candidates.
        betraying: images whose backgrounds are left out; None: there are none.
    """

    run: CandidateFolder
    classifiers: tuple[str, ...]
    greys: int = 31
    precision: str = "float32"
    every: bool = False
    views: str = "filled"
    encoding: Encoding
    betraying: Betraying | None = None

    def producer(self) -> dict[str, object]:
        """Return what the manifest says about the patches: which models made them, and how they were selected."""
        begun = json.loads((self.run.root / "run.json").read_text(encoding="utf-8"))["producer"]
        packages = ["fornet-hf", "pillow", "torch", "torchvision", "timm"]
        if any(name.startswith("hf:") for name in self.classifiers):
            packages.append("transformers")
        return {
            "tool": "select_versions",
            **read_models(self.run.root),
            **{name: begun[name] for name in ("prompts", "merging") if name in begun},
            "classifiers": list(self.classifiers),
            "greys": self.greys,
            "precision": self.precision,
            "views": self.views,
            **({"max_leakage": self.betraying.to_json()} if self.betraying else {}),
            "versions": {name: version_of(name) for name in packages},
        }


class NoModels:
    """A stand-in for classifiers where none are asked for."""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {"classifiers": {}}


@dataclass
class SelectWorker(GpuWorker["Witnesses | NoModels"]):
    """Work that selects versions, shard by shard.

    Attributes:
        settings: how.
        batch_size: versions that classifiers see at a time, each on all greys.
    """

    settings: SelectSettings
    batch_size: int = 16

    def load(self, device: str) -> Witnesses | NoModels:
        """Load the classifiers onto a device."""
        if not self.settings.classifiers:
            return NoModels()
        with needing("scoring", "torch"):
            from producers.devices.placement import Placement
            from producers.score.witnesses import load_witnesses
        return load_witnesses(
            self.settings.classifiers,
            Placement(device, self.settings.precision),
            greys=self.settings.greys,
            batch_size=self.batch_size,
        )

    def do(self, task: Task, models: Witnesses | NoModels, pool: Executor) -> Report:
        """Write a patch shard and its scores."""
        witnesses = None if isinstance(models, NoModels) else models
        selection = Selection(
            witnesses=witnesses,
            pool=pool,
            every=self.settings.every,
            views=self.settings.views,
            betraying=self.settings.betraying,
        )
        candidates = CandidateShard(self.settings.run.shard(task))
        return select_shard(task, candidates, selection, self.folder, self.settings.run.report(task).lost)
