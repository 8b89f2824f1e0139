"""The variants of a set in files, made by several processes; a run that was killed goes on.

Rows are looked at first, in units of some hundred, whose outcome is noted in `OUTPUT/.variants/SPLIT`. Then the
images are made, in units of a few. A file is there as a whole or not at all, and what is there is not made again.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import datasets
import numpy as np
from PIL import Image

from fornet_hf import __version__
from fornet_hf.classes import imagenet_classes, wnid_index
from fornet_hf.errors import ConfigurationError, PatchFormatError, SourceError, explain
from fornet_hf.evaluation.variants.configuration import VariantsConfig
from fornet_hf.evaluation.variants.definition import Corners, cropped
from fornet_hf.evaluation.variants.names import ENDING, INFILLED, MASKS, VARIANTS, mixed_stem, stem_of
from fornet_hf.evaluation.variants.planning import Candidate, Plan, background_of, chosen
from fornet_hf.evaluation.variants.rendering import infilled, mixed, plain, shown
from fornet_hf.evaluation.variants.subjects import Subject, Subjects, restored
from fornet_hf.evaluation.variants.taxonomy import NO_GROUP, Taxonomy, taxonomy_of
from fornet_hf.files import lock, stored, write_text
from fornet_hf.processes import each_done, max_workers
from fornet_hf.progress import progress

_ROWS = 256  # of a unit of looking
_ITEMS = 16  # of a unit of making
_WORK = ".variants"
NOTE = "variants.json"


class RowsOf(Protocol):
    """Rows of a ForNet, as `RowsData` has them."""

    @property
    def split(self) -> str:
        """Name of the split."""

    @property
    def rows(self) -> Any:
        """A `datasets.Dataset` of prepared rows."""

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the classes in label order."""

    @property
    def fingerprint(self) -> str:
        """Digest of the data."""


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


def make_variants(data: RowsOf, output: Path, config: VariantsConfig, workers: int | None = None) -> Made:
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
    job = _Job.of(data, output, config)
    workers = workers or max_workers()
    with _alone_in(output), stored(output):
        job.begin()
        plan = job.plan(workers)
        tasks = [_Task.of(plan, number, config) for number in range(len(plan.items))]
        units = [tasks[first : first + _ITEMS] for first in range(0, len(tasks), _ITEMS)]
        done = each_done(partial(_make, job), units, workers)
        counts = [count for _, count in progress(done, "making", " units", len(units))]
        _note(output, job, plan)
    return Made(len(plan.items) * len(config.variants), sum(counts), plan)


@dataclass(frozen=True)
class _Job:
    rows: Any
    split: str
    fingerprint: str
    taxonomy: Taxonomy
    wnids: tuple[str, ...]
    output: Path
    config: VariantsConfig

    @classmethod
    def of(cls, data: RowsOf, output: Path, config: VariantsConfig) -> _Job:
        wnids = _wnids(data.class_names)
        if config.boxes is not None and not wnids:
            then = "Leave --boxes out: the tight boxes of the masks are used."
            found = ", ".join(data.class_names[:3])
            raise ConfigurationError(
                explain("annotations are ImageNet's, the classes are not", found=found, then=then)
            )
        taxonomy = taxonomy_of(data.class_names, config.taxonomy)
        rows = data.rows.with_format(None)
        for name in ("foreground", "mask", "background"):  # they are decoded here, so that damage has a name
            rows = rows.cast_column(name, datasets.Image(decode=False))
        return cls(rows, data.split, data.fingerprint, taxonomy, wnids, output, config)

    @property
    def folder(self) -> str:
        """Name of the split's folder in the official layout."""
        return "train" if self.split == "train" else "val"

    @property
    def work(self) -> Path:
        return self.output / _WORK / self.folder

    @property
    def subjects(self) -> Subjects:
        return Subjects(self.wnids, self.config.boxes, self.config.masks == "grabcut")

    @property
    def settings(self) -> dict[str, Any]:
        """All that decides on the images, but not which variants are made of them."""
        settings = self.config.to_json()
        settings.pop("variants")
        groups = {"classes": list(self.taxonomy.names), "class_of_label": self.taxonomy.groups.tolist()}
        return {"data": self.fingerprint, "rows": len(self.rows), **settings, **groups}

    def begin(self) -> None:
        """Note the settings; refuse a folder that was begun with others."""
        file = self.work / "settings.json"
        if not file.is_file():
            write_text(file, json.dumps(self.settings))
            return
        found = json.loads(file.read_text(encoding="utf-8"))
        if other := [name for name, value in self.settings.items() if found.get(name) != value]:
            then = "Name another folder with --output, or delete this one."
            what = f"{self.output} was begun with other settings"
            raise ConfigurationError(explain(what, found=", ".join(other), then=then))

    def plan(self, workers: int) -> Plan:
        """Look at all rows, and choose."""
        units = [*range(0, len(self.rows), _ROWS)]
        done = each_done(partial(_look, self), units, workers)
        found = [entry for _, entries in progress(done, "looking", " units", len(units)) for entry in entries]
        candidates = [
            Candidate(row, label, stem, Corners(*box)) for row, label, stem, box in found if box is not None
        ]
        # An excluded entry has its reason in the place of the stem.
        excluded = Counter(reason for _, _, reason, box in found if box is None)
        twins = Counter(one.stem for one in candidates)
        if repeated := [stem for stem, count in twins.items() if count > 1]:
            raise ConfigurationError(explain("two rows have one key", found=repeated[0], allowed="each key once"))
        groups, config = self.taxonomy.names, self.config
        return chosen(candidates, dict(sorted(excluded.items())), groups, config.seed, config.per_class)

    def path(self, variant: str, label: int, name: str) -> Path:
        """Return the place of a file."""
        return self.output / variant / self.folder / self.taxonomy.folders[label] / name


_Entry = tuple[int, int, str, list[int] | None]


def _look(job: _Job, first: int) -> list[_Entry]:
    """Return what becomes of a unit's rows: number, label, stem and box; or the reason in place of the stem."""
    file = job.work / f"rows-{first:08}.json"
    if file.is_file():
        entries: list[_Entry] = json.loads(file.read_text(encoding="utf-8"))
        return entries
    numbers = range(first, min(first + _ROWS, len(job.rows)))
    labels = job.rows.select_columns(["label"])[first : numbers.stop]["label"]
    entries = [
        _looked_at(job, number, int(group))
        for number, label in zip(numbers, labels, strict=True)
        if (group := job.taxonomy.groups[label]) != NO_GROUP
    ]
    write_text(file, json.dumps(entries))
    return entries


def _looked_at(job: _Job, number: int, group: int) -> _Entry:
    row = job.rows[number]
    try:
        box = job.subjects.box(row)
    except (SourceError, PatchFormatError) as error:
        raise error.at(row["key"]) from error
    if isinstance(box, str):
        return number, group, box, None
    return number, group, stem_of(row["key"], job.wnids[row["label"]] if job.wnids else None), list(box)


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


def _make(job: _Job, tasks: Sequence[_Task]) -> int:
    """Make the files of some items that are not there; return how many of images were made."""
    return sum(_make_item(job, task.item, task.behind) for task in tasks)


def _make_item(job: _Job, item: Candidate, behind: Mapping[str, Candidate]) -> int:
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
            with _whole(paths[variant]) as temporary:
                image.save(temporary, "JPEG", quality=config.quality)
    except (SourceError, PatchFormatError) as error:
        raise error.at(row["key"]) from error
    with _whole(mask) as temporary, temporary.open("wb") as file:
        np.save(file, shown(subject.mask, side).astype(np.bool_))
    return len(missing)


def _image(
    job: _Job, variant: str, subject: Subject, row: Mapping[str, Any], other: Candidate | None, side: int
) -> Image.Image:
    behind = None if other is None else job.rows[other.row]
    if variant in INFILLED:
        return infilled(row, side, behind)
    if other is None or behind is None:
        return Image.fromarray(shown(plain(subject, variant), side))
    # A background needs no mask, which GrabCut would take long for.
    back = Subject(restored(behind), subject.mask, other.box)
    return Image.fromarray(cropped(mixed(subject, back), side))


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Yield a temporary file that becomes `path`; it is not synced, as it can be made again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    yield temporary
    temporary.replace(path)


@contextlib.contextmanager
def _alone_in(output: Path) -> Iterator[None]:
    """Keep other runs out.

    Raises:
        ConfigurationError: another run is at work there.
    """
    (output / _WORK).mkdir(parents=True, exist_ok=True)
    with (output / _WORK / "lock").open("ab") as file:
        try:
            lock(file, wait=False)
        except BlockingIOError as error:
            then = "Wait for it to end, or name another folder."
            raise ConfigurationError(explain(f"another run writes variants to {output}", then=then)) from error
        yield


def _note(output: Path, job: _Job, plan: Plan) -> None:
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
        "rules": job.config.rules(),
        "classes": classes,
        "excluded": dict(plan.excluded),
    }
    write_text(file, json.dumps(note, indent=1) + "\n")


def _wnids(classes: Sequence[str]) -> tuple[str, ...]:
    """Return the WNIDs of the classes; none where they are not ImageNet's."""
    known = {entry.name: entry.wnid for entry in imagenet_classes()} | {wnid: wnid for wnid in wnid_index()}
    return tuple(known[name] for name in classes) if all(name in known for name in classes) else ()
