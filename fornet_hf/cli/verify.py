"""Check a release end to end; exit status 1 if anything is wrong.

fornet verify TNauen/ForNet                         sizes, digests, columns, rows and keys; little is downloaded
fornet verify TNauen/ForNet --download              every row, too
fornet verify run/patches --imagenet-dir imagenet   and patches of every shard applied
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from fornet_hf.cli.common import add_imagenet, add_place, positive, show, show_json, tell
from fornet_hf.hub.location import place_of
from fornet_hf.release.verify import Verdict, verify


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_place(parser)
    add_imagenet(parser, "the images: apply patches to them")
    parser.add_argument("--sample", type=positive, default=4, metavar="N", help="of every shard (%(default)s)")
    parser.add_argument("--download", action="store_true", help="read every row of a repository")


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    place = place_of(arguments.place, arguments.revision, say=tell)
    images = None if arguments.imagenet_dir is None else Path(arguments.imagenet_dir)
    verdict = verify(place, imagenet_dir=images, sample=arguments.sample, download=arguments.download)
    if arguments.json:
        problems = [str(problem) for problem in verdict.problems]
        show_json({"sound": not problems, **dataclasses.asdict(verdict), "problems": problems})
    else:
        for line in _lines(verdict):
            show(line)
    for problem in verdict.problems:
        tell(f"problem: {problem}")
    return 1 if verdict.problems else 0


def _lines(verdict: Verdict) -> list[str]:
    depth = "every row read" if verdict.read else "rows not read"
    applied = f"{verdict.applied:,} patches applied" if verdict.applied else "no patches applied"
    count = len(verdict.problems)
    return [
        f"{verdict.place}: {verdict.shards:,} shards, {verdict.rows:,} rows, {verdict.keys:,} keys",
        f"{depth}, {applied}: " + ("sound" if not count else f"{count} problem{'s' * (count > 1)}"),
    ]
