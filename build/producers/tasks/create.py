"""One task, start to finish: the patch shard of one source shard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from fornet_hf.errors import EmptyMaskError, PatchFormatError, SourceError
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.patch import Patch, make_patch
from fornet_hf.format.shards import write_shard
from producers.detect.prompts import Prompts
from producers.tasks.candidates import Candidate, Outcome, take_apart
from producers.work.plan import Labelled, Task
from producers.work.report import Lost, Report
from producers.work.run_folder import RunFolder
from producers.work.settings import Settings

Tick = Callable[[int], None]
BATCH = 16  # images that the backends get at a time


def make_shard(task: Task, settings: Settings, folder: RunFolder) -> Report:
    """Write a task's patch shard, then its report; both appear complete or not at all.

    Doing it twice gives the same shard. Only with its report does a shard count as finished.

    Raises:
        ForNetError: the source shard cannot be read, or a package is missing. A single image raises nothing:
            it is in the report.
    """
    with folder.reported(task) as report:
        write_shard(folder.shard(task), _patches(task, settings, report, folder.tick), settings.encoding)
    return report


def _patches(task: Task, settings: Settings, report: Report, tick: Tick) -> Iterator[Patch]:
    backends = settings.backends()
    for batch in usable_batches(task, report, BATCH, tick=tick):
        outcomes = zip(batch, take_apart(batch, backends, settings.encoding, report), strict=True)
        yield from report.counted(_patch(image, outcome, settings, report) for image, outcome in outcomes)


def _patch(image: Labelled, outcome: Outcome, settings: Settings, report: Report) -> Patch | Lost:
    if isinstance(outcome, Lost):
        return outcome
    with report.clock("patch"):
        return patch_of(image, best(outcome), settings.encoding)


def usable_batches(task: Task, report: Report, size: int, *, tick: Tick = lambda _: None) -> Iterator[list[Labelled]]:
    """Yield usable images with distinct keys, at most `size` at a time; the others go into the report.

    `tick` gets the number of images that were done since the last time, whatever became of them.
    """
    images, told = usable(task, report), 0
    while True:
        tick(report.images - told)
        told = report.images
        batch: list[Labelled] = []
        items = list(islice(images, size))
        if not items:
            return
        for item in items:
            if isinstance(item, Lost):
                report.lost.append(item)
            else:
                batch.append(item)
        yield batch


def usable(task: Task, report: Report, prompts: Prompts | None = None) -> Iterator[Labelled | Lost]:
    """Yield the images with distinct keys in source order, or why one cannot be used; the report gets the time."""
    images, seen = task.read(prompts), set[str]()
    while True:
        with report.clock("read"):
            item = next(images, None)
        if item is None:
            return
        if isinstance(item, Labelled) and item.key in seen:
            yield Lost(item.key, "error", "same key", "an earlier image of the shard has this key")
            continue
        if isinstance(item, Labelled):
            seen.add(item.key)
        yield item


def best(candidates: tuple[Candidate, ...]) -> Candidate:
    """Return the candidate with the highest detection score; the earliest of equals."""
    return max(candidates, key=lambda candidate: candidate.score)


def patch_of(image: Labelled, candidate: Candidate, encoding: Encoding) -> Patch | Lost:
    """Return the patch of an image that was taken apart, or why there is none."""
    try:
        return make_patch(
            image.data,
            candidate.mask,
            candidate.infilled,
            key=image.key,
            label=image.label,
            encoding=encoding,
        )
    except (EmptyMaskError, PatchFormatError, SourceError) as error:
        return Lost(image.key, "error", type(error).__name__, str(error))
