"""One task on a GPU, start to finish: the candidate shard of one source shard.

The process that drives the GPU does nothing else: decoding of the next images and making patches of the last ones
goes on in other processes meanwhile, a window of images at each end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import partial

from fornet_hf.format.encoding import Encoding
from fornet_hf.format.masks import encode_levels
from producers.detect.prompts import Prompts
from producers.devices.batches import is_shared
from producers.scene import Raster
from producers.segment.versions import Merging
from producers.step import Backends
from producers.tasks.candidate_shards import CandidatePatch, write_candidates
from producers.tasks.candidates import Outcome, outcomes, raster_of
from producers.tasks.careful_search import CarefulSearch
from producers.tasks.create import patch_of, usable_batches
from producers.tasks.gpu_worker import GpuWorker, read_models
from producers.work.plan import Labelled, Task
from producers.work.report import Lost, Report
from producers.work.run_folder import RunFolder
from producers.work.settings import ModelSettings

AHEAD = 2  # windows that are decoded ahead, and as many whose patches are being made


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Everything that a process needs to segment shards.

    Attributes:
        backends: the models, loaded.
        pool: for decoding and patches.
        encoding: of the patches.
        prompts: what to look for.
        merging: how the masks of several prompts become versions.
        window: images that the models get at a time; the more, the fuller their batches of equal size.
        shared: whether others use the memory of the models' GPU.
    """

    backends: Backends
    pool: Executor
    encoding: Encoding
    prompts: Prompts = field(default_factory=Prompts)
    merging: Merging = field(default_factory=Merging)
    window: int = 128
    shared: Callable[[], bool] = lambda: False


def segment_shard(task: Task, engine: Engine, folder: RunFolder) -> Report:
    """Write a task's candidate shard, then its report; both appear complete or not at all.

    Raises:
        ForNetError: the source shard cannot be read. A single image raises nothing: it is in the report.
        OSError: the disk is full.
        Exception: what the models raise, if no image is to blame; see `CarefulSearch`.
    """
    with folder.reported(task) as report:
        write_candidates(folder.shard(task), _rows(task, engine, report), engine.encoding)
    return report


def _rows(task: Task, engine: Engine, report: Report) -> Iterator[CandidatePatch]:
    making: deque[list[Future[Made]]] = deque()
    steps = engine.backends.steps(engine.encoding.dilation, engine.merging)
    search = CarefulSearch(steps, report, shared=engine.shared)
    for images, rasters in _decoded(task, engine, report):
        making.append(_submit(images, outcomes(images, rasters, search), engine))
        if len(making) > AHEAD:
            yield from _collected(making.popleft(), report)
    search.judge()
    while making:
        yield from _collected(making.popleft(), report)


def _decoded(task: Task, engine: Engine, report: Report) -> Iterator[tuple[list[Labelled], list[Raster | Lost]]]:
    """Windows of images with their rasters, some of them ahead of their use."""
    ahead: deque[tuple[list[Labelled], list[Future[Raster | Lost]]]] = deque()
    for images in usable_batches(task, report, engine.window, engine.prompts):
        ahead.append((images, [engine.pool.submit(raster_of, one, engine.encoding) for one in images]))
        if len(ahead) > AHEAD:
            yield _arrived(*ahead.popleft(), report)
    while ahead:
        yield _arrived(*ahead.popleft(), report)


def _arrived(
    images: list[Labelled], rasters: Iterable[Future[Raster | Lost]], report: Report
) -> tuple[list[Labelled], list[Raster | Lost]]:
    with report.clock("wait for rasters"):
        return images, [future.result() for future in rasters]


Made = tuple[CandidatePatch, ...] | Lost


def _submit(images: Sequence[Labelled], outcomes: Sequence[Outcome], engine: Engine) -> list[Future[Made]]:
    return [
        engine.pool.submit(make_candidates, image, outcome, engine.encoding)
        for image, outcome in zip(images, outcomes, strict=True)
    ]


def _collected(futures: Iterable[Future[Made]], report: Report) -> Iterator[CandidatePatch]:
    for future in futures:
        with report.clock("wait for patches"):
            made = future.result()
        for patches in report.counted([made]):
            yield from patches


def make_candidates(image: Labelled, outcome: Outcome, encoding: Encoding) -> Made:
    """Return the candidates of an image as patches; runs in a worker process."""
    if isinstance(outcome, Lost):
        return outcome
    made = []
    for candidate in outcome:
        patch = patch_of(image, candidate, encoding)
        if isinstance(patch, Lost):
            return patch
        soft = None if candidate.soft is None else encode_levels(candidate.soft)
        made.append(CandidatePatch(patch, candidate.version, candidate.prompt, candidate.score, soft))
    return tuple(made)


@dataclass
class SegmentWorker(GpuWorker[Backends]):
    """Work that segments shards.

    Attributes:
        settings: which models, and how patches are made.
        window: images that the models get at a time.
    """

    settings: ModelSettings
    window: int = 128

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
            shared=partial(is_shared, self._device),
        )
        return segment_shard(task, engine, self.folder)
