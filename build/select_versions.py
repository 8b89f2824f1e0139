#!/usr/bin/env python
"""Choose one version of each image that segment.py has taken apart; what is chosen becomes the release.

    python build/select_versions.py RUN IMAGES OUT --gpus 4
    python build/select_versions.py RUN IMAGES OUT2 --leakage leakage/leakage.csv --max-leakage 3
    python build/select_versions.py RUN IMAGES OUT --engine ray --address auto
    python build/select_versions.py RUN IMAGES OUT --shard-index $SLURM_ARRAY_TASK_ID --shard-count 64

RUN is the folder of a finished run of segment.py, IMAGES what it was made of. Each version is scored by
classifiers: the object by itself should be recognised, the background should not. OUT/patches becomes the release,
OUT/scores has the scores of all versions. With --leakage, backgrounds of a first selection that betray their objects
by more than --max-leakage are left out of a second one; the objects stay. A run that was interrupted goes on where it
was when the same command is given again; several commands may share OUT when each does other shards, and the last one
writes the manifest.
Exit status: 0 done, 1 an error that a message explains, 2 a wrong command line, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from fornet_hf.errors import ConfigurationError, ForNetError, NotFoundError, explain
from fornet_hf.evaluation.models import FORMS, parse_name
from fornet_hf.format.encoding import Encoding
from fornet_hf.sources import Columns
from producers.devices.placement import PRECISIONS
from producers.score.betraying import Betraying
from producers.score.score import VIEWS
from producers.tasks.select import SelectSettings, SelectWorker
from producers.work.command import add_machines, described, finish, my_part, positive, run
from producers.work.plan import Task, plan
from producers.work.remaining import do_remaining, is_left
from producers.work.report import Report
from producers.work.run_folder import CandidateFolder, RunFolder

REFERENCE = ("resnet50", "resnet101", "vit_b_16", "vit_l_16", "swin_t", "swin_s")
"""torchvision's names of the publication's classifiers."""
_VIEWS = "; ".join(f"{name}: {meaning}" for name, meaning in VIEWS.items())


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = described(__doc__)
    result.add_argument("run", type=Path, metavar="RUN", help="folder of the segmenting run")
    result.add_argument("images", type=Path, metavar="IMAGES", help="folder of the source images")
    result.add_argument("out", type=Path, metavar="OUT", help="folder of this run; made if it is not there")
    result.add_argument(
        "--classifiers",
        nargs="*",
        type=_classifier,
        metavar="LIBRARY:NAME",
        default=[f"torchvision:{name}" for name in REFERENCE],
        help=f"{FORMS}; none given: take the first version; default: the publication's six",
    )
    result.add_argument("--greys", type=positive, default=31, help="backgrounds to show objects on (%(default)s)")
    result.add_argument("--every", action="store_true", help="score images which have one version only, too")
    result.add_argument("--precision", choices=PRECISIONS, default="bfloat16", help="default: %(default)s")
    result.add_argument("--batch-size", type=positive, default=16, help="versions at a time (%(default)s)")
    result.add_argument("--views", choices=VIEWS, default="filled", help=f"{_VIEWS} (%(default)s)")
    text = "table of `fornet leakage`: leave out backgrounds whose score is above --max-leakage"
    result.add_argument("--leakage", type=Path, metavar="CSV", help=text)
    text = "in standard deviations of shuffled pairs, such as 3: see docs/leakage.md"
    result.add_argument("--max-leakage", type=float, metavar="SCORE", help=text)
    result.add_argument("--source-name", help="what the manifest calls the images; default: the folder's name")
    result.add_argument("--source-revision", help="commit of the source repository, for the manifest")
    add_machines(result)
    return result


def _classifier(text: str) -> str:
    """Take a name of the command line; whether its library knows it is seen when it is loaded."""
    try:
        parse_name(text)
    except ConfigurationError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def select(arguments: argparse.Namespace) -> Report:
    """Do what the command line says; returns the report over all shards that are finished.

    Raises:
        ForNetError: anything that a user can put right; its message says how.
        OSError: the disk is full, say.
    """
    candidates = CandidateFolder(arguments.run)
    tasks, encoding = planned(candidates, arguments.images)
    part = my_part(tasks, arguments)
    _check_classes(arguments.classifiers, tasks[0].classes)
    settings = SelectSettings(
        run=candidates,
        classifiers=tuple(arguments.classifiers),
        greys=arguments.greys,
        precision=arguments.precision,
        every=arguments.every,
        views=arguments.views,
        encoding=encoding,
        betraying=Betraying.of(arguments.leakage, arguments.max_leakage),
    )
    folder = RunFolder(arguments.out)
    folder.begin(tasks, settings)

    def work(workers: int) -> SelectWorker:
        return SelectWorker(folder, workers, settings, arguments.batch_size)

    do_remaining(part, folder, lambda waiting: run(work, waiting, arguments))
    if is_left(tasks, folder):
        return folder.total()
    name = arguments.source_name or arguments.images.resolve().name
    return folder.finish(tasks, settings, name, arguments.source_revision)


def _check_classes(classifiers: Sequence[str], classes: Sequence[str] | None) -> None:
    """Refuse what cannot fit before the run notes it."""
    if classes is not None and (others := [name for name in classifiers if name.startswith("torchvision:")]):
        what = "torchvision's classifiers know the classes of ImageNet-1k only, and this is another set"
        then = "Give a classifier of its classes as timm:NAME, or none: --classifiers"
        raise ConfigurationError(explain(what, found=others[0], then=then))


def planned(run: CandidateFolder, images: Path) -> tuple[list[Task], Encoding]:
    """Return the tasks of a finished run, planned again from its images, and the settings of its patches.

    Raises:
        NotFoundError: there is no such run, or no such folder of images.
        ConfigurationError: shards are not finished, or the images are others.
    """
    path = run.root / "run.json"
    for what, found in (("run", path), ("folder of images", images)):
        if not found.exists():
            raise NotFoundError(explain(f"the {what} is missing", found=f"no {found}"))
    known = json.loads(path.read_text(encoding="utf-8"))
    columns = Columns.of_release(known["producer"])
    tasks = [
        task
        for split, prints in known["splits"].items()
        for task in _same_tasks(plan(images, [split], len(prints), columns), prints, known["classes"], path)
    ]
    if waiting := run.waiting(tasks):
        then = "Give the command of segment.py again to finish them."
        raise ConfigurationError(explain(f"{len(waiting)} of {len(tasks)} shards are not segmented", then=then))
    return tasks, Encoding.from_json(known["encoding"])


def _same_tasks(
    tasks: Sequence[Task], prints: Sequence[str], classes: Sequence[str] | None, path: Path
) -> Sequence[Task]:
    if [task.fingerprint() for task in tasks] != list(prints):
        raise ConfigurationError(f"{path}: the run was made of other images. Give those as IMAGES.")
    now, before = list(tasks[0].classes or ()), list(classes or ())
    if now != before:
        changed = ", ".join(sorted({*now} ^ {*before})[:5]) or "another order"
        then = "Bring the images' classes back to what they were, or segment anew: they are the labels."
        raise ConfigurationError(explain(f"{path}: the run was made with other classes", found=changed, then=then))
    return tasks


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    arguments = parser().parse_args(argv)
    return finish(partial(select, arguments), arguments.out / "patches", known=(ForNetError, OSError))


if __name__ == "__main__":
    sys.exit(main())
