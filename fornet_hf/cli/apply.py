"""Make ForNet of patches and your own ImageNet: folders, zips or a datasets folder.

fornet apply -in imagenet -o fornet                     patches from TNauen/ForNet on the Hub
fornet apply -p patches -in imagenet -o fornet --zip    zips without compression, for network file systems
fornet apply -p patches -in imagenet -o fornet --datasets

Run it again after whatever ended it: what is there is not made again. MAX_WORKERS processes are used. Patches are
kept, unlike by the public tool; --delete removes them from their folder once every image of them is made.
Exit status 1: some images could not be made. They are counted by reason, and listed in apply_problems_*.jsonl.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from fornet_hf.builder.about import REPOSITORY
from fornet_hf.cli.common import add_imagenet, add_split, show, show_json, tell, tell_some
from fornet_hf.hub.location import locate
from fornet_hf.layout.apply import apply, deletable, delete_patches
from fornet_hf.layout.report import Report
from fornet_hf.layout.sinks import FolderSink, Sink, ZipSink
from fornet_hf.release.images import find_images
from fornet_hf.release.release import open_release

_SHOWN = 5  # problems of each reason


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add(
        "-p", "--patch", "--patches", dest="patches", default=REPOSITORY, metavar="FOLDER_OR_REPO", help="%(default)s"
    )
    add_imagenet(parser, "ImageNet with train/ and val/, images.txt, or Parquet shards")
    add("--imagenet-repo", metavar="REPO", help="or a repository on the Hub; default: the one the patches name")
    add("-o", "--output", type=Path, required=True, metavar="DIR", help="where the result goes")
    add_split(parser)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--zip", action="store_true", help="zips without compression instead of folders")
    kind.add_argument("--datasets", action="store_true", help="a folder for datasets.load_from_disk")
    after = parser.add_mutually_exclusive_group()
    after.add_argument("--keep", action="store_true", help="keep the patches (as is the default)")
    after.add_argument("--delete", action="store_true", help="delete the patches from their folder when all is made")
    add("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    release = open_release(locate(arguments.patches))
    if arguments.delete:
        deletable(release)  # before any work
    images = find_images(release, arguments.imagenet_dir, arguments.imagenet_repo)
    reports: list[Report] = []
    try:
        for split in release.chosen(arguments.split):
            report = apply(release, split, images, arguments.output, _form(arguments), say=tell)
            reports.append(report)
            tell_some(((f"problem: {one.reason}", f"{one.name}: {one.message}") for one in report.problems), _SHOWN)
            if arguments.datasets and report.problems and report.present:
                tell(f"what is saved is not changed: delete {arguments.output / split} to try them again")
    finally:  # an error of the next split does not hide that this one is ready
        _show(reports, arguments)
    complete = not any(report.problems for report in reports)
    if arguments.delete:
        complete = complete and all(report.counts["ok"] >= release.count(report.split) for report in reports)
        if complete:
            deleted = delete_patches(release, [report.split for report in reports])
            tell(f"deleted {len(deleted)} files of patches")
        else:
            tell("no patches were deleted, as some images could not be made")
    return 0 if complete else 1


def _form(arguments: argparse.Namespace) -> type[Sink]:
    if arguments.datasets:
        from fornet_hf.layout.saved import DatasetSink  # imports `datasets`

        return DatasetSink
    return ZipSink if arguments.zip else FolderSink


def _show(reports: Sequence[Report], arguments: argparse.Namespace) -> None:
    if arguments.json and reports:
        show_json({report.split: report.counts for report in reports})
        return
    for report in reports:
        problems = [f"{count:,} {reason}" for reason, count in report.reasons.items()]
        counts = [f"{report.made:,} made", f"{report.present:,} already there", *problems]
        show(f"{report.split}: {', '.join(counts)}, in {arguments.output}")
