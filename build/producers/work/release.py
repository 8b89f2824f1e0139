"""A release from tasks that processes of this machine can do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from fornet_hf.errors import ConfigurationError
from fornet_hf.processes import each_done, max_workers
from fornet_hf.progress import counted
from producers.devices.opencv import one_thread
from producers.work.plan import Task
from producers.work.remaining import do_remaining
from producers.work.report import Report
from producers.work.run_folder import RunFolder, Settings

S = TypeVar("S", bound=Settings)


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
