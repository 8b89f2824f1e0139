#!/usr/bin/env python
"""Make patches from a labelled set of images: find the object, cut it out, infill the background.

    python build/create_patches.py IMAGES OUT --boxes boxes.json

IMAGES is a folder laid out like ImageNet, {train,val}/CLASS/IMAGE.JPEG, one with the Parquet shards of a dataset
like ILSVRC/imagenet-1k, or one with images.txt, such as CUB_200_2011. OUT/patches becomes the release. A run that
was interrupted goes on where it was when the same command is given again. Exit status: 0 done, 1 an error that a
message explains, 2 a wrong command line, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from fornet_hf.format.encoding import Encoding
from fornet_hf.format.manifest import SPLITS
from producers.detect.boxes import CentredBox, read_boxes
from producers.registry import Choice
from producers.tasks.create import make_shard
from producers.work.command import (
    add_columns,
    add_settings,
    columns_asked,
    described,
    finish,
    positive,
    with_settings,
)
from producers.work.plan import present_splits
from producers.work.remaining import make_release
from producers.work.report import Report
from producers.work.settings import Settings, light


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = described(__doc__)
    result.add_argument("images", type=Path, metavar="IMAGES", help="folder of the source images")
    result.add_argument("out", type=Path, metavar="OUT", help="folder of the run; made if it is not there")
    result.add_argument("--split", choices=(*SPLITS, "val", "all"), default="all", help="default: all there are")
    result.add_argument("--boxes", type=Path, metavar="FILE", help="JSON: for each key its boxes; default: centred")
    result.add_argument("--segmenter", choices=light("segmenter"), default="grabcut")
    result.add_argument("--infiller", choices=light("infiller"), default="opencv")
    add_settings(result)
    result.add_argument("--shards", type=positive, help="of each split of a folder; default: enough for the workers")
    add_columns(result)
    result.add_argument("--workers", type=positive, help="processes; default: MAX_WORKERS, else all CPUs")
    result.add_argument(
        "--max-side", type=int, default=Encoding.max_side, help="longest side in pixels (%(default)s)"
    )
    result.add_argument("--dilation", type=int, default=Encoding.dilation, help="of infilling, pixels (%(default)s)")
    result.add_argument("--source-name", help="what the manifest calls the images; default: the folder's name")
    result.add_argument("--source-revision", help="commit of the source repository, for the manifest")
    return result


def create_patches(arguments: argparse.Namespace) -> Report:
    """Do what the command line says; returns the report over all images.

    Raises:
        ForNetError: anything that a user can put right; its message says how.
    """
    choices = {role: Choice(getattr(arguments, role)) for role in ("segmenter", "infiller")}
    settings = Settings(
        detector=read_boxes(arguments.boxes) if arguments.boxes else CentredBox(),
        **with_settings(choices, arguments.set),
        encoding=Encoding(max_side=arguments.max_side, dilation=arguments.dilation),
    )
    return make_release(
        make_shard,
        arguments.images,
        present_splits(arguments.images, arguments.split),
        settings,
        arguments.out,
        shards=arguments.shards,
        columns=columns_asked(arguments),
        workers=arguments.workers,
        source=arguments.source_name or arguments.images.resolve().name,
        revision=arguments.source_revision,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    arguments = parser().parse_args(argv)
    return finish(partial(create_patches, arguments), arguments.out / "patches")


if __name__ == "__main__":
    sys.exit(main())
