"""A run that makes variants: its rows and settings, and the items that it takes.

Rows are looked at in units of some hundred, whose outcome is noted in `OUTPUT/.variants/SPLIT`.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import datasets

from fornet_hf.classes import imagenet_classes, name_index
from fornet_hf.errors import ConfigurationError, PatchFormatError, SourceError, explain
from fornet_hf.evaluation.data.names import VARIANTS, stem_of
from fornet_hf.evaluation.data.opening import RowsData
from fornet_hf.evaluation.labels import NO_LABEL
from fornet_hf.evaluation.labels.taxonomy import Taxonomy, taxonomy_of
from fornet_hf.evaluation.variants import eligibility
from fornet_hf.evaluation.variants.configuration import VariantsConfig
from fornet_hf.evaluation.variants.definition import Corners
from fornet_hf.evaluation.variants.planning import Candidate, Plan, chosen
from fornet_hf.evaluation.variants.subjects import Subjects
from fornet_hf.files import write_text
from fornet_hf.processes import each_done
from fornet_hf.progress import progress

WORK = ".variants"
"""Name of the folder for what a run notes."""

_ROWS = 256  # of a unit of looking


@dataclass(frozen=True)
class Job:
    """All that decides on what is made.

    Attributes:
        rows: whose images are not decoded.
        split: of them.
        fingerprint: of them.
        class_names: of the rows.
        taxonomy: classes of the variants.
        wnids: of the rows' classes; none where they are not ImageNet's.
        output: the folder.
        config: all settings.
    """

    rows: Any
    split: str
    fingerprint: str
    class_names: tuple[str, ...]
    taxonomy: Taxonomy
    wnids: tuple[str, ...]
    output: Path
    config: VariantsConfig

    @classmethod
    def of(cls, data: RowsData, output: Path, config: VariantsConfig) -> Job:
        """Return the job of these rows.

        Raises:
            ConfigurationError: annotations, or ImageNet-9, for classes that are not ImageNet's.
        """
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
        names = tuple(data.class_names)
        return cls(rows, data.split, data.fingerprint, names, taxonomy, wnids, output, config)

    @property
    def folder(self) -> str:
        """Name of the split's folder in the official layout."""
        return "train" if self.split == "train" else "val"

    @property
    def work(self) -> Path:
        """Folder for what is noted."""
        return self.output / WORK / self.folder

    @property
    def subjects(self) -> Subjects:
        """Objects of the rows."""
        return Subjects(self.wnids, self.config.boxes, self.config.masks == "grabcut")

    @property
    def settings(self) -> dict[str, Any]:
        """All that decides on the images, but not which variants are made of them."""
        settings = self.config.to_json()
        settings.pop("variants")
        groups = {"classes": list(self.taxonomy.names), "class_of_label": self.taxonomy.groups.tolist()}
        return {"data": self.fingerprint, "rows": len(self.rows), **settings, **groups}

    def begin(self) -> None:
        """Note the settings; refuse a folder that has images which were made with others."""
        file = self.work / "settings.json"
        found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else self.settings
        if other := [name for name, value in self.settings.items() if found.get(name) != value]:
            if any((self.output / variant / self.folder).is_dir() for variant in VARIANTS):
                then = "Name another folder with --output, or delete this one."
                what = f"{self.output} was begun with other settings"
                raise ConfigurationError(explain(what, found=", ".join(other), then=then))
            shutil.rmtree(self.work)
        write_text(file, json.dumps(self.settings))

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


def _look(job: Job, first: int) -> list[_Entry]:
    """Return what becomes of a unit's rows: number, label, stem and box; or the reason in place of the stem."""
    file = job.work / f"rows-{first:08}.json"
    if file.is_file():
        known: list[_Entry] = json.loads(file.read_text(encoding="utf-8"))
        return known
    numbers = range(first, min(first + _ROWS, len(job.rows)))
    labels = job.rows.select_columns(["label"])[first : numbers.stop]["label"]
    entries: list[_Entry] = []
    for number, label in zip(numbers, labels, strict=True):
        if label is None or label < 0:
            entries.append((number, NO_LABEL, eligibility.NO_CLASS, None))
        elif (group := int(job.taxonomy.groups[label])) != NO_LABEL:
            entries.append(_looked_at(job, number, group))
    write_text(file, json.dumps(entries))
    return entries


def _looked_at(job: Job, number: int, group: int) -> _Entry:
    row = job.rows[number]
    if not row["key"]:
        raise SourceError(explain("a row has no key", found=f"row {number:,}"))
    try:
        box = job.subjects.box(row)
    except (SourceError, PatchFormatError) as error:
        raise error.at(row["key"]) from error
    if isinstance(box, str):
        return number, group, box, None
    return number, group, stem_of(row["key"], job.wnids[row["label"]] if job.wnids else None), list(box)


def _wnids(classes: Sequence[str]) -> tuple[str, ...]:
    """Return the WNIDs of the classes; none where they are not ImageNet's."""
    known, entries = name_index(), imagenet_classes()
    return tuple(entries[known[name]].wnid for name in classes) if all(name in known for name in classes) else ()
