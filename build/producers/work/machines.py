"""The options of commands that use GPUs, here or on a cluster, and what they come to."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence

from fornet_hf.errors import ConfigurationError, explain
from producers.work.command import natural, positive
from producers.work.on_ray import run_on_ray
from producers.work.plan import Task
from producers.work.report import Report
from producers.work.slots import Work, devices, run_on_slots, workers_each


def add_machines(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add the options that say where a command runs; returns their group."""
    group = parser.add_argument_group("machines")
    group.add_argument("--engine", choices=("local", "ray"), default="local")
    group.add_argument("--address", help="of the Ray cluster, such as auto; default: one on this machine")
    group.add_argument("--gpus", type=natural, help="processes, one a GPU; 0: the CPU; default: 1, with Ray all")
    group.add_argument("--workers", type=natural, help="processes for each GPU that handle images and patches")
    group.add_argument("--attempts", type=positive, default=3, help="at a shard whose process dies (%(default)s)")
    group.add_argument("--shard-index", type=natural, default=0, help="this command's part of the shards, from 0")
    group.add_argument("--shard-count", type=positive, default=1, help="number of parts")
    return group


def my_part(tasks: Sequence[Task], arguments: argparse.Namespace) -> list[Task]:
    """Every `--shard-count`-th task, from `--shard-index` on.

    Raises:
        ConfigurationError: there is no such part.
    """
    index, count = arguments.shard_index, arguments.shard_count
    if index >= count:
        raise ConfigurationError(
            explain("--shard-index", found=index, allowed=f"0 to --shard-count - 1 = {count - 1}")
        )
    return list(tasks[index::count])


def run(
    make_work: Callable[[int], Work], tasks: Sequence[Task], arguments: argparse.Namespace
) -> Iterator[tuple[Task, Report]]:
    """Each task with its report, as they get finished, on the machines that were asked for.

    Args:
        make_work: what is done, for a number of worker processes beside each GPU.
        tasks: shards.
        arguments: with the options of `add_machines`.
    """
    if arguments.engine == "ray":
        return run_on_ray(
            make_work,
            tasks,
            address=arguments.address,
            gpus=arguments.gpus,
            workers=arguments.workers,
            attempts=arguments.attempts,
        )
    gpus = 1 if arguments.gpus is None else arguments.gpus
    work = make_work(workers_each(gpus, arguments.workers))
    return run_on_slots(work, tasks, devices(gpus), attempts=arguments.attempts)
