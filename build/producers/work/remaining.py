"""Do what a run still lacks, and say how it goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence

from tqdm import tqdm

from fornet_hf.progress import followed
from producers.work.plan import Task
from producers.work.report import Report
from producers.work.run_folder import RunFolder

Engine = Callable[[Sequence[Task]], Iterator[tuple[Task, Report]]]


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
