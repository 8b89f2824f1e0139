"""Choosing the subcommand; errors of ours are a line on stderr, never a traceback."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Protocol

from fornet_hf import __version__
from fornet_hf.cli import (
    apply,
    demo,
    evaluate,
    info,
    leakage,
    masks,
    pack,
    preview,
    report,
    validate,
    variants,
    verify,
)
from fornet_hf.endings import ended
from fornet_hf.hub.errors import without_token


class Command(Protocol):
    """A module of a subcommand, whose docstring is its help."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add its arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; return the exit status."""
        ...


COMMANDS: Mapping[str, Command] = {
    "apply": apply,
    "validate": validate,
    "pack": pack,
    "preview": preview,
    "info": info,
    "verify": verify,
    "masks": masks,
    "leakage": leakage,
    "variants": variants,
    "evaluate": evaluate,
    "report": report,
    "demo": demo,
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = argparse.ArgumentParser(prog="fornet", description="Look at, check and use releases of ForNet.")
    result.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = result.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        text = command.__doc__ or ""
        head, _, rest = text.partition("\n")
        sub = commands.add_parser(
            name, help=head, description=head, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        command.add_arguments(sub)
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status: 0 done, 1 an error or a problem found, 2 a wrong command line."""
    arguments = parser().parse_args(argv)
    run = partial(COMMANDS[arguments.command].run, arguments)
    return ended(run, hide=partial(without_token, own=None))
