"""Do what a run still lacks, and say how it goes on; a release, where processes of this machine can do all of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from tqdm import tqdm

from fornet_hf.errors import ConfigurationError
from fornet_hf.processes import each_done, max_workers
from fornet_hf.progress import counted, followed
from producers.devices.opencv import one_thread
from producers.work.plan import Task
from producers.work.report import Report
from producers.work.run_folder import RunFolder, Settings

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
    if folder.ticks is None:
        with tqdm(total=len(waiting), unit="shard", disable=None, file=sys.stderr) as bar:
            for _ in _told(engine(waiting)):
                bar.update()
        return
    total = sum(task.number_of_images() for task in waiting)
    with tqdm(total=total, unit="image", disable=None, file=sys.stderr) as bar, followed(folder.ticks, bar):
        for _ in _told(engine(waiting)):
            pass


def _told(done: Iterator[tuple[Task, Report]]) -> Iterator[Task]:
    """The tasks; of each a line."""
    for task, report in done:
        tqdm.write(f"{task.name}: {report.summary()}", file=sys.stderr)
        yield task


def make_release(
    make: Callable[..., Report],
    tasks: Sequence[Task],
    settings: S,
    folder: RunFolder,
    *,
    workers: int | None,
    source: str,
    revision: str | None,
) -> Report:
    """Do all tasks with `make`, and write the manifest; returns the report over all images.

    Args:
        make: makes the shard and the report of a task, given `settings` and `folder`; travels to other processes.
        tasks: shards.
        settings: of the run.
        folder: of the run; what it has already is not made again.
        workers: processes; None: as MAX_WORKERS says, else all CPUs.
        source: what the manifest calls the images.
        revision: of the source.

    Raises:
        ConfigurationError: the folder holds another run, or no image gave a patch.
        ForNetError: what a task raised.
    """
    folder.begin(tasks, settings)
    with counted() as ticks:
        counting = replace(folder, ticks=ticks)
        work = partial(make, settings=settings, folder=counting)
        do_remaining(tasks, counting, partial(each_done, work, workers=workers or max_workers(), prepare=one_thread))
    report = folder.finish(tasks, settings, source, revision)
    if not report.ok:
        raise ConfigurationError(f"no image gave a patch. {report.summary()}")
    return report
