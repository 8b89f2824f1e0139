"""Check ForNet in folders or zips: counts, names, ratios, and every image; exit status 1 if anything is wrong.

fornet validate fornet
fornet validate fornet --patches TNauen/ForNet    and which images are missing, and which do not belong there
fornet validate fornet --names-only               without decoding images

Missing or damaged images: delete the damaged ones, and run fornet apply again, which makes what is not there.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from fornet_hf.cli.common import add_split, show, show_json, tell_some
from fornet_hf.errors import NotFoundError, explain
from fornet_hf.hub.location import locate
from fornet_hf.layout.paths import splits_in
from fornet_hf.layout.validate import validate
from fornet_hf.release.release import open_release

_SHOWN = 20  # findings of each kind


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("path", type=Path, metavar="PATH", help="the folder with train/ and val/, or with the zips")
    parser.add_argument("--patches", metavar="FOLDER_OR_REPO", help="the patches it was made from")
    add_split(parser)
    parser.add_argument("--names-only", action="store_true", help="do not decode images")
    parser.add_argument("--json", action="store_true", help="print JSON, with everything that was found")


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    release = None if arguments.patches is None else open_release(locate(arguments.patches))
    there = splits_in(arguments.path)
    splits = [arguments.split] if arguments.split else sorted({*there, *(release.splits if release else ())})
    if not splits or not arguments.path.is_dir():
        then = "Make it: fornet apply --help"
        raise NotFoundError(explain(f"{arguments.path} holds no ForNet in folders or zips", then=then))
    results = [validate(arguments.path, split, release, decode=not arguments.names_only) for split in splits]
    if arguments.json:
        show_json(
            {one.split: {**one.counts, "findings": [*map(dataclasses.asdict, one.findings)]} for one in results}
        )
    else:
        for one in results:
            show(f"{one.split}: " + ", ".join(f"{count:,} {what}" for what, count in one.counts.items()))
            lines = (
                (found.kind, found.name + (f": {found.message}" if found.message else "")) for found in one.findings
            )
            tell_some(lines, _SHOWN, "; --json lists all")
    return 1 if any(one.findings for one in results) else 0
