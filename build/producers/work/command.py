"""What the commands of the producers share: their help, their numbers, and how they end."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from fornet_hf.errors import ForNetError
from fornet_hf.sources import Columns


class Summary(Protocol):
    """What a run has to report."""

    def summary(self) -> str:
        """One line for people."""
        ...


def finish(work: Callable[[], Summary], made: Path, *, known: tuple[type[Exception], ...] = (ForNetError,)) -> int:
    """Do the work and say how it ended; returns the exit status.

    Args:
        work: the run.
        made: the folder that holds its result.
        known: errors whose message says enough, so that no traceback is shown.
    """
    try:
        report = work()
    except known as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    except OSError as error:
        if error.errno is None:
            raise  # not what the system says, so a fault of ours
        print(f"error: {error.strerror}" + (f": {error.filename}" if error.filename else ""), file=sys.stderr)
        return 1
    print(report.summary())
    print(f"{made.name}: {made}")
    return 0


def described(module: str | None) -> argparse.ArgumentParser:
    """A parser whose help is a module's docstring, as it stands."""
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


def natural(text: str) -> int:
    """A number of the command line, 0 or more."""
    return _at_least(0, text)


def positive(text: str) -> int:
    """A number of the command line, 1 or more."""
    return _at_least(1, text)


def _at_least(lowest: int, text: str) -> int:
    value = int(text)
    if value < lowest:
        raise argparse.ArgumentTypeError(f"{text} is less than {lowest}")
    return value
