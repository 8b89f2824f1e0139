"""One task on a GPU, start to finish: the candidate shard of one source shard.

The process that drives the GPU does nothing else: decoding of the next images and making patches of the last ones
goes on in other processes meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, field
from typing import Any

from fornet_hf.format.encoding import Encoding
from fornet_hf.format.masks import encode_levels
from producers.detect.prompts import Prompts
from producers.scene import Raster, Scene
from producers.segment.versions import Merging
from producers.step import Backends
from producers.tasks.candidate_shards import CandidatePatch, write_candidates
from producers.tasks.candidates import Candidate, outcome_of, raster_of, scene_of
from producers.tasks.careful_step import CarefulStep
from producers.tasks.create import patch_of, usable
from producers.tasks.flow import through
from producers.tasks.gpu_worker import GpuWorker, read_models
from producers.work.plan import Labelled, Task
from producers.work.report import Lost, Report
from producers.work.run_folder import RunFolder
from producers.work.settings import ModelSettings

AHEAD = 128  # images that are decoded ahead of the models
WINDOW = 1024  # images that wait for them
BEHIND = 128  # images whose patches are being made


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Everything that a process needs to segment shards.

    Attributes:
        backends: the models, loaded.
        pool: for decoding and patches.
        encoding: of the patches.
        prompts: what to look for.
        merging: how the masks of several prompts become versions.
        window: images that may wait for a full batch, about 1 MB each; the more, the fuller the batches.
        shared: whether others use the memory of the models' GPU.
    """

    backends: Backends
    pool: Executor
    encoding: Encoding
    prompts: Prompts = field(default_factory=Prompts)
    merging: Merging = field(default_factory=Merging)
    window: int = WINDOW
    shared: Callable[[], bool] = lambda: False


def segment_shard(task: Task, engine: Engine, folder: RunFolder) -> Report:
    """Write a task's candidate shard, then its report; both appear complete or not at all.

    Raises:
        ForNetError: the source shard cannot be read. A single image raises nothing: it is in the report.
        OSError: the disk is full.
        Exception: what the models raise, if no image is to blame; see `CarefulStep`.
    """
    with folder.reported(task) as report:
        write_candidates(folder.shard(task), _rows(task, engine, report), engine.encoding)
    return report


def _rows(task: Task, engine: Engine, report: Report) -> Iterator[CandidatePatch]:
    chain = engine.backends.steps(engine.encoding.dilation, engine.merging)
    steps = [CarefulStep(step, report, shared=engine.shared) for step in chain]
    for making in through(_scenes(task, engine, report), steps, engine.window, Making(engine, report)):
        with report.clock("wait for patches"):
            made = making.result()
        report.ahead -= 1
        for patches in report.counted([made]):
            yield from patches


Source = Labelled | None
"""What a patch is made of; None of an image that cannot be used."""


def _scenes(task: Task, engine: Engine, report: Report) -> Iterator[tuple[Source, Scene | Lost]]:
    """Images as scenes, some of them decoded ahead of their use; or why one cannot be used."""
    ahead: deque[tuple[Labelled, Future[Raster | Lost]] | Lost] = deque()
    for image in usable(task, report, engine.prompts):
        ahead.append(image if isinstance(image, Lost) else (image, _decoding(image, engine)))
        if len(ahead) > min(AHEAD, engine.window):
            yield _arrived(ahead.popleft(), report)
    while ahead:
        yield _arrived(ahead.popleft(), report)


def _decoding(image: Labelled, engine: Engine) -> Future[Raster | Lost]:
    return engine.pool.submit(raster_of, image, engine.encoding)


def _arrived(coming: tuple[Labelled, Future[Raster | Lost]] | Lost, report: Report) -> tuple[Source, Scene | Lost]:
    if isinstance(coming, Lost):
        return None, coming
    image, decoding = coming
    with report.clock("wait for rasters"):
        raster = decoding.result()
    return image, raster if isinstance(raster, Lost) else scene_of(image, raster)


Made = tuple[CandidatePatch, ...] | Lost


class Making:
    """Patches of images that have gone through, made in the pool; to begin waits while too many are."""

    def __init__(self, engine: Engine, report: Report) -> None:
        self._engine = engine
        self._report = report
        self._begun: deque[Future[Made]] = deque()

    def __call__(self, image: Source, after: Scene | Lost) -> Future[Made]:
        """Begin to make the patches of an image."""
        self._report.ahead += 1
        outcome = after if isinstance(after, Lost) else outcome_of(after)
        if image is None or isinstance(outcome, Lost):
            made: Future[Any] = Future()
            made.set_result(outcome)
            return made
        if len(self._begun) >= BEHIND:
            with self._report.clock("wait for patches"):
                wait([self._begun.popleft()])
        self._begun.append(self._engine.pool.submit(make_candidates, image, outcome, self._engine.encoding))
        return self._begun[-1]


def make_candidates(image: Labelled, found: Sequence[Candidate], encoding: Encoding) -> Made:
    """Return the candidates of an image as patches; runs in a worker process."""
    made = []
    for candidate in found:
        patch = patch_of(image, candidate, encoding)
        if isinstance(patch, Lost):
            return patch
        soft = None if candidate.soft is None else encode_levels(candidate.soft)
        version, prompt, score = candidate.version, candidate.prompt, candidate.score
        made.append(CandidatePatch(patch, version, prompt, score, soft, candidate.detections))
    return tuple(made)


@dataclass
class SegmentWorker(GpuWorker[Backends]):
    """Work that segments shards.

    Attributes:
        settings: which models, and how patches are made.
        window: images that may wait for a full batch.
    """

    settings: ModelSettings
    window: int = WINDOW

    def load(self, device: str) -> Backends:
        """Load detector, segmenter and infiller."""
        return self.settings.as_begun(read_models(self.folder.root)).backends(device)

    def do(self, task: Task, models: Backends, pool: Executor) -> Report:
        """Write a candidate shard."""
        engine = Engine(
            backends=models,
            pool=pool,
            encoding=self.settings.encoding,
            prompts=self.settings.prompts,
            merging=self.settings.merging,
            window=self.window,
            shared=self._seat.is_shared,
        )
        return segment_shard(task, engine, self.folder)
