"""Do what a run still lacks, and say how it goes on; a release, where processes of this machine can do all of it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from fornet_hf.errors import ConfigurationError
from fornet_hf.processes import each_done, max_workers
from fornet_hf.progress import counted, followed
from fornet_hf.sources import Columns
from producers.devices.opencv import one_thread
from producers.work.description import Settings
from producers.work.plan import Task, plan
from producers.work.report import Report
from producers.work.run_folder import RunFolder

Engine = Callable[[Sequence[Task]], Iterator[tuple[Task, Report]]]
S = TypeVar("S", bound=Settings)


def do_remaining(tasks: Sequence[Task], folder: RunFolder, engine: Engine) -> None:
    """Let `engine` do those of the tasks that are not finished; it gives each with its report, as it gets done.

    The bar counts images if the folder's `ticks` do, else shards.
    """
    waiting = folder.waiting(tasks)
    if len(waiting) < len(tasks):
        tqdm.write(f"{len(tasks) - len(waiting)} of {len(tasks)} shards are finished already", file=sys.stderr)
    if not waiting:
        return
    ticks = folder.ticks
    total = len(waiting) if ticks is None else sum(task.number_of_images() for task in waiting)
    unit = "shard" if ticks is None else "image"
    with (
        tqdm(total=total, unit=unit, disable=None, file=sys.stderr) as bar,
        contextlib.nullcontext() if ticks is None else followed(ticks, bar),
    ):
        for task, report in engine(waiting):
            tqdm.write(f"{task.name}: {report.summary()}", file=sys.stderr)
            if ticks is None:
                bar.update()


def is_left(tasks: Sequence[Task], folder: RunFolder) -> bool:
    """Return whether other commands have yet to finish some of a run's tasks, and say how many."""
    left = folder.left_to_others(tasks)
    if left:
        text = f"{len(left)} of {len(tasks)} shards are left to other commands; the last one completes {folder.root}"
        tqdm.write(text, file=sys.stderr)
    return bool(left)


def make_release(
    make: Callable[..., Report],
    images: Path,
    splits: Sequence[str],
    settings: S,
    out: Path,
    *,
    shards: int | None,
    columns: Columns | None = None,
    workers: int | None,
    source: str,
    revision: str | None,
) -> Report:
    """Plan the tasks of these splits, do them with `make`, and write the manifest; return the report over all images.

    Args:
        make: makes the shard and the report of a task, given `settings` and `folder`; travels to other processes.
        images: folder of the source images.
        splits: of `train` and `validation`.
        settings: of the run.
        out: folder of the run; what it has already is not made again.
        shards: of each split of a folder; None: as many as were begun, else enough for the workers.
        columns: of Parquet shards; by default found by their names and types.
        workers: processes; None: as MAX_WORKERS says, else all CPUs.
        source: what the manifest calls the images.
        revision: of the source.

    Raises:
        ConfigurationError: the folder holds another run, or no image gave a patch.
        ForNetError: what `plan` or a task raised.
    """
    workers = workers or max_workers()
    folder = RunFolder(out)
    tasks = plan(images, splits, shards or folder.shard_counts(), columns, workers=workers)
    folder.begin(tasks, settings)
    with counted() as ticks:
        counting = replace(folder, ticks=ticks)
        work = partial(make, settings=settings, folder=counting)
        do_remaining(tasks, counting, partial(each_done, work, workers=workers, prepare=one_thread, finish=True))
    report = folder.finish(tasks, settings, source, revision)
    if not report.ok:
        raise ConfigurationError(f"no image gave a patch. {report.summary()}")
    return report
