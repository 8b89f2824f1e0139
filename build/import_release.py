#!/usr/bin/env python
"""Turn what people already have into patches: an old release of patches, or a ForNet in files, with its ImageNet.

    python build/import_release.py RELEASE IMAGES OUT

RELEASE is a folder with train_0.zip ... train_19.zip and val.zip (pickled differences), or with foregrounds and
backgrounds: {train,val}/{foregrounds,backgrounds}/CLASS/IMAGE.{WEBP,JPEG}, or the same in foregrounds_train.zip
and so on. IMAGES holds the originals, as folders of classes or as Parquet shards. OUT/patches becomes the release
in the new format. Where a foreground came from is found by comparing it with its image; a foreground that does not
fit, or fits in several places, is reported instead of guessed. A run that was interrupted goes on where it was
when the same command is given again. Exit status: 0 done, 1 an error that a message explains, 2 a wrong command
line, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from fornet_hf.errors import NotFoundError, explain
from fornet_hf.format.encoding import Encoding
from producers.tasks.import_shard import ImportSettings, import_shard
from producers.tasks.old_parts import splits_of
from producers.work.command import described, finish, positive
from producers.work.plan import present_splits
from producers.work.remaining import make_release
from producers.work.report import Report


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = described(__doc__)
    result.add_argument("release", type=Path, metavar="RELEASE", help="folder of the old release")
    result.add_argument("images", type=Path, metavar="IMAGES", help="folder of the original images")
    result.add_argument("out", type=Path, metavar="OUT", help="folder of the run; made if it is not there")
    result.add_argument("--split", choices=("train", "validation", "val", "all"), default="all")
    result.add_argument("--whole", action="store_true", help="take all of the backgrounds, not only what is infilled")
    result.add_argument("--shards", type=positive, help="of each split of a folder; default: enough for the workers")
    result.add_argument("--workers", type=positive, help="processes; default: MAX_WORKERS, else all CPUs")
    result.add_argument("--dilation", type=int, default=Encoding.dilation, help="of infilling, pixels (%(default)s)")
    result.add_argument("--source-name", default="ILSVRC/imagenet-1k", help="of the originals (%(default)s)")
    result.add_argument("--source-revision", help="commit of the source repository, for the manifest")
    return result


def import_release(arguments: argparse.Namespace) -> Report:
    """Do what the command line says; returns the report over all images.

    Raises:
        ForNetError: anything that a user can put right; its message says how.
    """
    settings = ImportSettings(
        release=arguments.release, whole=arguments.whole, encoding=Encoding(dilation=arguments.dilation)
    )
    return make_release(
        import_shard,
        arguments.images,
        _splits(arguments),
        settings,
        arguments.out,
        shards=arguments.shards,
        workers=arguments.workers,
        source=arguments.source_name,
        revision=arguments.source_revision,
    )


def _splits(arguments: argparse.Namespace) -> list[str]:
    """Return the splits that are asked for and are in both, release and images."""
    wanted, there = present_splits(arguments.images, arguments.split), set(splits_of(arguments.release))
    splits = [split for split in wanted if split in there]
    if not splits:
        found = sorted(there) or "none"
        raise NotFoundError(explain(f"{arguments.release}: no such split of a release", found=found))
    return splits


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    arguments = parser().parse_args(argv)
    return finish(partial(import_release, arguments), arguments.out / "patches")


if __name__ == "__main__":
    sys.exit(main())
