#!/usr/bin/env python
"""Take images apart on GPUs: detect, segment and infill; the candidates become patches by select_versions.py.

    python build/segment.py IMAGES RUN --gpus 4
    python build/segment.py IMAGES RUN --engine ray --address auto
    python build/segment.py IMAGES RUN --shard-index $SLURM_ARRAY_TASK_ID --shard-count 64

IMAGES is a folder laid out like ImageNet, {train,val}/CLASS/IMAGE.JPEG, one with the Parquet shards of a dataset
like ILSVRC/imagenet-1k, or one with images.txt, such as CUB_200_2011. RUN/candidates gets a shard for each
of the source's. A run that was interrupted goes on where it was when the same command is given again; several
commands may share RUN when each does other shards. build/status.py RUN says how far it is.

Models are given as NAME, NAME=MODEL, or NAME=MODEL@REVISION, where MODEL is an id on the Hub or a local path.
The name of a model of another package is PACKAGE.MODULE:FUNCTION, or that of an entry point of the package.
--set ROLE.NAME=VALUE changes a setting of one: --set infiller.steps=30.

Exit status: 0 done, 1 an error that a message explains, 2 a wrong command line, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from fornet_hf.errors import ForNetError
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.manifest import SPLITS
from fornet_hf.processes import max_workers
from producers.detect.prompts import Prompts, read_prompts
from producers.registry import Choice, find, models
from producers.segment.versions import KEPT, Merging
from producers.tasks.segment import WINDOW, SegmentWorker
from producers.work.command import (
    add_columns,
    add_machines,
    add_settings,
    add_speedups,
    columns_asked,
    described,
    finish,
    my_part,
    natural,
    positive,
    run,
    speedups_asked,
    with_settings,
)
from producers.work.plan import Task, plan, present_splits
from producers.work.remaining import do_remaining, is_left
from producers.work.report import Report
from producers.work.run_folder import CandidateFolder
from producers.work.settings import ModelSettings

DEFAULTS = {"detector": Choice("grounding-dino"), "segmenter": Choice("sam"), "infiller": Choice("lama")}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = described(__doc__)
    result.add_argument("images", type=Path, metavar="IMAGES", help="folder of the source images")
    result.add_argument("run", type=Path, metavar="RUN", help="folder of the run; made if it is not there")
    result.add_argument("--split", choices=(*SPLITS, "val", "all"), default="all", help="default: all there are")
    result.add_argument("--shards", type=positive, help="of each split of a folder; default: one per 4096 images")
    add_columns(result)
    _add_models(result)
    _add_objects(result)
    machines = add_machines(result)
    machines.add_argument(
        "--window", type=positive, default=WINDOW, help="images waiting for full batches, 1 MB each (%(default)s)"
    )
    machines.add_argument("--batch-size", type=positive, help="of all models; halved when memory runs out")
    add_speedups(machines)
    return result


def _add_models(result: argparse.ArgumentParser) -> None:
    group = result.add_argument_group("models")
    for role, what in {"detector": "boxes", "segmenter": "masks", "infiller": "what is behind them"}.items():
        text = f"finds {what}: {', '.join(map(str, models(role)))}; default: {DEFAULTS[role]}"
        group.add_argument(f"--{role}", type=Choice.parse, metavar="MODEL", help=text)
    text = f"makes rough masks exact: {', '.join(map(str, models('refiner')))}; default: no refiner"
    group.add_argument("--refine", dest="refiner", type=Choice.parse, metavar="MODEL", help=text)
    add_settings(group)
    group.add_argument("--precision", default="bfloat16", help="float32, bfloat16 (default) or float16")
    group.add_argument("--max-side", type=int, default=Encoding.max_side, help="longest side, pixels (%(default)s)")
    group.add_argument("--dilation", type=int, default=Encoding.dilation, help="of infilling, pixels (%(default)s)")


def _add_objects(result: argparse.ArgumentParser) -> None:
    group = result.add_argument_group("objects")
    text = "confidence from which a box counts, 0 to 1; default: the detector's own, 0.3 (owlv2: 0.1, florence-2: 0)"
    group.add_argument("--threshold", type=float, help=text)
    text = "confidence which a word of the prompt needs in it, by GroundingDINO and its relative (default: 0)"
    group.add_argument("--text-threshold", type=float, help=text)
    group.add_argument(
        "--parents", type=natural, default=Prompts.parents, help="parents of a class to ask for, too (%(default)s)"
    )
    either = group.add_mutually_exclusive_group()
    either.add_argument("--prompts", type=Path, metavar="FILE", help='JSON: {"CLASS": ["a cat.", ...]}')
    text = "look for it in all images, whatever their classes; may be given several times"
    either.add_argument("--object", action="append", default=[], metavar="NAME", help=text)
    group.add_argument(
        "--merge-threshold",
        type=float,
        default=Merging.threshold,
        help="overlap (IoU) above which two prompts found the same object (%(default)s)",
    )
    group.add_argument(
        "--versions", choices=KEPT, default=Merging.keep, help="keep all that differ, or one (%(default)s)"
    )


def segment(arguments: argparse.Namespace) -> Report:
    """Do what the command line says; return the report over all shards that are finished.

    Raises:
        ForNetError: anything that a user can put right; its message says how.
        OSError: the disk is full, say.
    """
    settings = ModelSettings(
        **_models(arguments),
        precision=arguments.precision,
        encoding=Encoding(max_side=arguments.max_side, dilation=arguments.dilation),
        threshold=arguments.threshold,
        text_threshold=arguments.text_threshold,
        prompts=_prompts(arguments),
        merging=Merging(threshold=arguments.merge_threshold, keep=arguments.versions),
        batch_size=arguments.batch_size,
        speedups=speedups_asked(arguments),
    )
    settings.check_files()
    splits = present_splits(arguments.images, arguments.split)
    tasks = plan(arguments.images, splits, arguments.shards, columns_asked(arguments))
    settings.prompts.check(tasks[0].classes)
    part = my_part(tasks, arguments)
    max_workers()  # refuses a bad value
    folder = CandidateFolder(arguments.run)
    folder.begin(tasks, settings)  # from here on the settings are noted, and no others admitted
    folder.note_source(arguments.images)
    do_remaining(part, folder, lambda waiting: _engine(waiting, settings, folder, arguments))
    return folder.total() if is_left(tasks, folder) else folder.sum_up()


def _models(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the models by role; those to which the segmenter leaves nothing to do are None."""
    segmenter = arguments.segmenter or DEFAULTS["segmenter"]
    step = find("segmenter", segmenter.name).step
    choices = {
        "detector": arguments.detector or (DEFAULTS["detector"] if "detections" in step.needs else None),
        "segmenter": segmenter,
        "infiller": arguments.infiller or (None if "infilled" in step.gives else DEFAULTS["infiller"]),
        "refiner": arguments.refiner,
    }
    return with_settings(choices, arguments.set)


def _prompts(arguments: argparse.Namespace) -> Prompts:
    if arguments.prompts:
        return read_prompts(arguments.prompts, arguments.parents)
    return Prompts(parents=arguments.parents, objects=tuple(arguments.object))


def _engine(
    tasks: Sequence[Task], settings: ModelSettings, folder: CandidateFolder, arguments: argparse.Namespace
) -> Iterator[tuple[Task, Report]]:
    def work(workers: int) -> SegmentWorker:
        return SegmentWorker(folder, workers, settings, arguments.window)

    return run(work, tasks, arguments)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    arguments = parser().parse_args(argv)
    return finish(partial(segment, arguments), arguments.run / "candidates", known=(ForNetError, OSError))


if __name__ == "__main__":
    sys.exit(main())
