"""The variants of a set in files, made by several processes; a run that was killed goes on.

Rows are looked at first (`job.py`). Then the images are made, in units of a few. A file is there as a whole or not at
all, and what is there is not made again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fornet_hf import __version__
from fornet_hf.errors import PatchFormatError, SourceError
from fornet_hf.evaluation.data.names import ENDING, INFILLED, MASKS, NOTE, VARIANTS, mixed_stem
from fornet_hf.evaluation.data.opening import RowsData
from fornet_hf.evaluation.variants.configuration import VariantsConfig
from fornet_hf.evaluation.variants.definition import cropped
from fornet_hf.evaluation.variants.job import Job
from fornet_hf.evaluation.variants.planning import Candidate, Plan, background_of
from fornet_hf.evaluation.variants.rendering import infilled, mixed, plain, shown
from fornet_hf.evaluation.variants.subjects import Subject, restored
from fornet_hf.files import stored, whole_path, write_text
from fornet_hf.locks import alone
from fornet_hf.processes import each_done, max_workers
from fornet_hf.progress import progress

_ITEMS = 16  # of a unit of making


@dataclass(frozen=True)
class Made:
    """Report of a run.

    Attributes:
        images: files of images that the set has.
        new: of these, made now.
        plan: the items.
    """

    images: int
    new: int
    plan: Plan


def make_variants(data: RowsData, output: Path, config: VariantsConfig, workers: int | None = None) -> Made:
    """Write `OUTPUT/VARIANT/SPLIT/NN_CLASS/NAME.JPEG`, masks beside them, and `OUTPUT/variants.json`.

    Args:
        data: rows of a ForNet.
        output: the folder.
        config: all settings.
        workers: processes; None: MAX_WORKERS, or the CPUs.

    Raises:
        ConfigurationError: annotations or ImageNet-9 for classes that are not ImageNet's, a class without an image,
            other settings than those that the folder was begun with, or another run that writes there.
        MissingDependencyError: GrabCut needs OpenCV.
        ForNetError: a row is damaged; the message names its key.
    """
    job = Job.of(data, output, config)
    workers = workers or max_workers()
    with stored(output), alone(output / ".lock", f"another run writes variants to {output}"):
        job.begin()
        plan = job.plan(workers)
        tasks = [_Task.of(plan, number, config) for number in range(len(plan.items))]
        units = [tasks[first : first + _ITEMS] for first in range(0, len(tasks), _ITEMS)]
        done = each_done(partial(_make, job), units, workers)
        counts = [count for _, count in progress(done, "making", " units", len(units))]
        _note(output, job, plan)
    return Made(len(plan.items) * len(config.variants), sum(counts), plan)


@dataclass(frozen=True)
class _Task:
    """One item, and for each mixed variant the item whose background it gets."""

    item: Candidate
    behind: Mapping[str, Candidate]

    @classmethod
    def of(cls, plan: Plan, number: int, config: VariantsConfig) -> _Task:
        behind = {
            variant: plan.items[background_of(plan, number, variant, config.seed, other_class=config.other_class)]
            for variant in config.variants
            if variant.startswith("mixed_")
        }
        return cls(plan.items[number], behind)


def _make(job: Job, tasks: Sequence[_Task]) -> int:
    """Make the files of some items that are not there; return how many of images were made."""
    return sum(_make_item(job, task.item, task.behind) for task in tasks)


def _make_item(job: Job, item: Candidate, behind: Mapping[str, Candidate]) -> int:
    config, side = job.config, job.config.side(job.split)
    paths = {}
    for variant in config.variants:
        stem = mixed_stem(item.stem, behind[variant].stem) if variant in behind else item.stem
        paths[variant] = job.path(variant, item.label, stem + ENDING)
    mask = job.path(MASKS, item.label, f"{item.stem}.npy")
    missing = [variant for variant, path in paths.items() if not path.is_file()]
    if not missing and mask.is_file():
        return 0
    row = job.rows[item.row]
    try:
        subject = job.subjects.subject(row, item.box)
        for variant in missing:
            image = _image(job, variant, subject, row, behind.get(variant), side)
            with whole_path(paths[variant]) as temporary:
                image.save(temporary, "JPEG", quality=config.quality)
    except (SourceError, PatchFormatError) as error:
        raise error.at(row["key"]) from error
    with whole_path(mask) as temporary, temporary.open("wb") as file:
        np.save(file, shown(subject.mask, side).astype(np.bool_))
    return len(missing)


def _image(
    job: Job, variant: str, subject: Subject, row: Mapping[str, Any], other: Candidate | None, side: int
) -> Image.Image:
    behind = None if other is None else job.rows[other.row]
    if variant in INFILLED:
        return infilled(row, side, behind)
    if other is None or behind is None:
        return Image.fromarray(shown(plain(subject, variant), side))
    # A background needs no mask, which GrabCut would take long for.
    back = Subject(restored(behind), subject.mask, other.box)
    return Image.fromarray(cropped(mixed(subject, back), side))


def _note(output: Path, job: Job, plan: Plan) -> None:
    """Write what is in the folder, with what the other split's run noted."""
    file = output / NOTE
    note = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    before = note.get(job.folder, {}).get("variants", [])
    variants = [name for name in VARIANTS if name in {*before, *job.config.variants}]
    classes = {
        folder: {"eligible": count, "taken": plan.per_class}
        for folder, count in zip(job.taxonomy.folders, plan.eligible, strict=True)
    }
    note[job.folder] = {
        "version": __version__,
        "variants": variants,
        "side": job.config.side(job.split),
        "settings": job.settings,
        "labels": list(job.class_names),  # whose classes settings.class_of_label has
        "rules": job.config.rules(),
        "classes": classes,
        "excluded": dict(plan.excluded),
    }
    write_text(file, json.dumps(note, indent=1) + "\n")
