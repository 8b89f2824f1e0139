"""Do what a run still lacks, and say how it goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence

from tqdm import tqdm

from producers.plan import Task
from producers.report import Report
from producers.run_folder import RunFolder

Engine = Callable[[Sequence[Task]], Iterator[tuple[Task, Report]]]


def do_remaining(tasks: Sequence[Task], folder: RunFolder, engine: Engine) -> None:
    """Let `engine` do those of the tasks that are not finished; it gives each with its report, as it gets done."""
    waiting = folder.waiting(tasks)
    if len(waiting) < len(tasks):
        tqdm.write(f"{len(tasks) - len(waiting)} of {len(tasks)} shards are finished already", file=sys.stderr)
    if not waiting:
        return
    with tqdm(total=len(waiting), unit="shard", disable=None, file=sys.stderr) as bar:
        for task, report in engine(waiting):
            tqdm.write(f"{task.name}: {report.summary()}", file=sys.stderr)
            bar.update()
