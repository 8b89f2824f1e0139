"""Print what is in a release; exit status 1 if files of it are missing.

fornet info TNauen/ForNet
fornet info run/patches --json
"""

from __future__ import annotations

import argparse

from fornet_hf.cli.common import add_place, show, show_json, tell
from fornet_hf.hub.location import place_of
from fornet_hf.release.info import info, lines


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_place(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    about = info(place_of(arguments.place, arguments.revision, say=tell))
    if arguments.json:
        show_json(about)
    else:
        for line in lines(about):
            show(line)
    for problem in about["problems"]:
        tell(f"problem: {problem}")
    return 1 if about["problems"] else 0
