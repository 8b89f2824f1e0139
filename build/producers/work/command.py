"""All that the commands of the producers share: help, options, the machines that they run on, and how they end."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from fornet_hf.endings import ended
from fornet_hf.errors import ConfigurationError, ForNetError, explain
from fornet_hf.sources import Columns
from producers.devices.placement import ON, SPEEDUPS
from producers.devices.seats import seats
from producers.registry import Choice
from producers.work.on_ray import run_on_ray
from producers.work.plan import Task
from producers.work.report import Report
from producers.work.slots import Work, run_on_slots, workers_each


class Summary(Protocol):
    """A run's result, as far as a command reports it."""

    def summary(self) -> str:
        """Return a line for people."""


def finish(work: Callable[[], Summary], made: Path, *, known: tuple[type[Exception], ...] = (ForNetError,)) -> int:
    """Do the work and say how it ended; returns the exit status.

    Args:
        work: the run.
        made: the folder that holds its result.
        known: errors whose message says enough, so that no traceback is shown.
    """

    def reported() -> int:
        print(work().summary())
        print(f"{made.name}: {made}")
        return 0

    return ended(reported, known=known, interrupted="interrupted; the same command goes on from here")


def described(module: str | None) -> argparse.ArgumentParser:
    """Return a parser whose help is a module's docstring, as it stands."""
    head, _, rest = (module or "").partition("\n")
    return argparse.ArgumentParser(
        description=head, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def add_columns(parser: argparse.ArgumentParser) -> None:
    """Add the options that name the columns of Parquet shards."""
    for what in ("image", "label"):
        text = f"of the {what}s in Parquet shards; default: found by name and type"
        parser.add_argument(f"--{what}-column", metavar="NAME", help=text)


def columns_asked(arguments: argparse.Namespace) -> Columns:
    """Return the columns that are named by the options of `add_columns`."""
    return Columns(image=arguments.image_column, label=arguments.label_column)


class Setting(NamedTuple):
    """A setting of a model, as the command line gives it: `segmenter.steps=40`."""

    role: str
    name: str
    text: str

    @classmethod
    def parse(cls, text: str) -> Setting:
        """Return the setting; an ArgumentTypeError says how one is written."""
        place, equals, value = text.partition("=")
        role, dot, name = place.partition(".")
        if not (equals and dot and name):
            raise argparse.ArgumentTypeError(f"{text!r} is not like segmenter.steps=40")
        return cls(role, name, value)


def add_settings(group: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add the option that gives settings of models."""
    text = "setting of a model, such as segmenter.steps=40; may be given several times; a wrong NAME lists all"
    group.add_argument("--set", type=Setting.parse, action="append", default=[], metavar="ROLE.NAME=VALUE", help=text)


def with_settings(choices: Mapping[str, Choice | None], given: Sequence[Setting]) -> dict[str, Any]:
    """Return the models of a chain by role, each a `Choice` with its settings, or None where there is none.

    Args:
        choices: the models by role.
        given: by the option of `add_settings`.

    Raises:
        ConfigurationError: a setting is of a role that the chain does not have.
    """
    for one in given:
        if choices.get(one.role) is None:
            what, allowed = f"--set {one.role}.{one.name}: there is no such model in this chain", "settings of "
            allowed += ", ".join(role for role, choice in choices.items() if choice is not None)
            raise ConfigurationError(explain(what, found=one.role, allowed=allowed))
    return {
        role: choice and replace(choice, settings=tuple((one.name, one.text) for one in given if one.role == role))
        for role, choice in choices.items()
    }


def natural(text: str) -> int:
    """Read a number of the command line, 0 or more."""
    return _at_least(0, text)


def positive(text: str) -> int:
    """Read a number of the command line, 1 or more."""
    return _at_least(1, text)


def _at_least(lowest: int, text: str) -> int:
    value = int(text)
    if value < lowest:
        raise argparse.ArgumentTypeError(f"{text} is less than {lowest}")
    return value


def add_machines(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add the options that say where a command runs; returns their group."""
    group = parser.add_argument_group("machines")
    group.add_argument("--engine", choices=("local", "ray"), default="local")
    group.add_argument("--address", help="of the Ray cluster, such as auto; default: one on this machine")
    group.add_argument("--gpus", type=natural, help="number of GPUs; 0: the CPU; default: 1, with Ray all")
    text = "on each GPU, with a share of its memory, so that it waits less for a CPU (%(default)s)"
    group.add_argument("--processes", type=positive, default=1, help=text)
    group.add_argument("--workers", type=natural, help="processes beside those of each GPU, for images and patches")
    group.add_argument("--attempts", type=positive, default=3, help="at a shard whose process dies (%(default)s)")
    group.add_argument("--shard-index", type=natural, default=0, help="this command's part of the shards, from 0")
    group.add_argument("--shard-count", type=positive, default=1, help="number of parts")
    return group


def add_speedups(group: argparse._ArgumentGroup) -> None:
    """Add the options that choose among the ways to be faster."""
    for option, names in (("with", sorted({*SPEEDUPS} - ON)), ("without", sorted(ON))):
        text = "; ".join(f"{name}: {SPEEDUPS[name]}" for name in names)
        group.add_argument(
            f"--{option}", dest=f"speed_{option}", action="append", default=[], choices=names, help=text
        )


def speedups_asked(arguments: argparse.Namespace) -> frozenset[str]:
    """Return the ways to be faster that are chosen by the options of `add_speedups`."""
    return (ON | {*arguments.speed_with}) - {*arguments.speed_without}


def my_part(tasks: Sequence[Task], arguments: argparse.Namespace) -> list[Task]:
    """Return every `--shard-count`-th task, from `--shard-index` on.

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
    """Yield each task with its report, as they get finished, on the machines that were asked for.

    Args:
        make_work: what is done, for a number of worker processes beside each process on a GPU.
        tasks: shards.
        arguments: with the options of `add_machines`.
    """
    if arguments.engine == "ray":
        return run_on_ray(
            make_work,
            tasks,
            address=arguments.address,
            gpus=arguments.gpus,
            processes=arguments.processes,
            workers=arguments.workers,
            attempts=arguments.attempts,
        )
    gpus = 1 if arguments.gpus is None else arguments.gpus
    work = make_work(workers_each(gpus, arguments.processes, arguments.workers))
    return run_on_slots(work, tasks, seats(gpus, arguments.processes), attempts=arguments.attempts)
