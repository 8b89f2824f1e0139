"""The third form of a split: its rows, saved for `datasets.load_from_disk` as part of a DatasetDict.

Beside the rows, finished or not, stands what they were made from: rows of anything else are never mixed with them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets

from fornet_hf.errors import ConfigurationError, ForNetError, explain
from fornet_hf.features import row_features
from fornet_hf.files import atomic_path, write_text
from fornet_hf.format.rows import Row
from fornet_hf.hub.location import Folder, Repository
from fornet_hf.layout.paths import Layout
from fornet_hf.layout.report import Problem, Report, read_problems
from fornet_hf.layout.sinks import Sink, Writer
from fornet_hf.release.interface import Release, short_digest
from fornet_hf.release.units import Outcome

_NOTE = "made_from.json"


@dataclass(frozen=True)
class Origin:
    """The patches and images that rows were made from.

    Attributes:
        patches: tells the patches of the split from all others; the other split may be deleted meanwhile.
        images: where the sources were.
    """

    patches: str
    images: str

    def __str__(self) -> str:
        return f"patches {self.patches} and the images of {self.images}"

    @classmethod
    def of(cls, release: Release, split: str, images: Folder | Repository) -> Origin:
        """Return the origin of the rows that a split will have.

        Patches of the old format do not tell their images, so there the shards of these are part of it.
        """
        place = images.identity() if isinstance(images, Folder) or not release.names_images else str(images)
        if isinstance(images, Folder) and not release.names_images:
            folders = (images.root, images.root / "data")
            shards = sorted((path.name, path.stat().st_size) for one in folders for path in one.glob("*.parquet"))
            place += f" {short_digest(shards)}" if shards else ""
        return cls(release.fingerprint(split), place)

    @classmethod
    def read(cls, folder: Path) -> tuple[Origin | None, list[Problem]]:
        """Return the origin of what a folder holds, None if that is not known; and the images that it lacks."""
        try:
            value = json.loads((folder / _NOTE).read_bytes())
            problems = [Problem(**problem) for problem in value.pop("problems")]
            if "pictures" in value:  # the name of `images` in the first notes
                value["images"] = value.pop("pictures")
            return cls(**value), problems
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return None, []

    def write(self, folder: Path, problems: Sequence[Problem] = ()) -> None:
        """Note the origin of what a folder holds, and the images that it lacks."""
        value = {**dataclasses.asdict(self), "problems": [dataclasses.asdict(problem) for problem in problems]}
        write_text(folder / _NOTE, json.dumps(value, indent=1) + "\n")


@dataclass(frozen=True)
class DatasetSink(Sink):
    """Rows in Arrow files: one for each unit, which is there as a whole or not at all, then all of them together.

    What could not be made stays a problem until somebody deletes the split, so that it is made anew.

    Attributes:
        origin: of the rows.
        features: of the rows.
    """

    origin: Origin
    features: datasets.Features
    divisible = False
    aside = ", and as much again until they are saved"

    @classmethod
    def of(cls, layout: Layout, release: Release, images: Folder | Repository) -> DatasetSink:
        """Return the sink for a release and its images."""
        return cls(layout, Origin.of(release, layout.split, images), row_features(release.class_names))

    @property
    def work(self) -> Path:
        """The folder of what is not finished."""
        return self.layout.root / f".{self.layout.split}"

    @property
    def problems(self) -> Path:
        """The file in which images are listed that could not be made."""
        return self.layout.dataset_problems

    @property
    def _target(self) -> Path:
        return self.layout.root / self.layout.split

    def check(self) -> None:
        """Refuse rows of another origin, and anything else that is in their place."""
        target, then = self._target, f"Name another folder with -o, or delete {self._target}."
        if (target / "state.json").is_file():
            found, _ = Origin.read(target)
            if found != self.origin:
                what, found_it = f"{target} was made from something else", found or "no note of what"
                raise ConfigurationError(explain(what, found=found_it, allowed=self.origin, then=then))
        elif target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
            what, then = f"{target} is there, and is no dataset saved by this command", "Name another folder with -o."
            raise ConfigurationError(explain(what, then=then))

    def complete(self) -> Report | None:
        """Return what is known of a split that is saved."""
        self.check()  # again, as another run may have ended since
        if not (self._target / "state.json").is_file():
            return None
        present = len(datasets.load_from_disk(str(self._target)))
        return Report(self.layout.split, present=present, problems=Origin.read(self._target)[1])

    def begin(self, release: Release) -> None:
        """Keep what is in the folder of work only if it is of this origin."""
        del release
        if Origin.read(self.work)[0] != self.origin:
            shutil.rmtree(self.work)
            self.work.mkdir()
            self.origin.write(self.work)

    def _part(self, number: int) -> Path:
        return self.work / f"{number:05}.arrow"

    def unit_done(self, number: int) -> Report | None:
        """Return what became of a unit whose file is there."""
        path = self._part(number)
        if not path.is_file():
            return None
        problems = read_problems(path.with_suffix(".problems"))
        return Report(self.layout.split, present=len(datasets.Dataset.from_file(str(path))), problems=problems)

    @contextlib.contextmanager
    def writer(self, number: int, report: Report) -> Iterator[Writer]:
        """Yield a writer of the unit's file, which appears at the end, after its problems."""
        from datasets.arrow_writer import ArrowWriter

        path = self._part(number)
        try:
            with (
                atomic_path(path) as temporary,
                ArrowWriter(features=self.features, path=str(temporary), writer_batch_size=256) as writer,
            ):
                yield _RowWriter(writer, self.features)
                writer.finalize()
                report.write_problems(path.with_suffix(".problems"))
        except ForNetError:
            report.made = 0
            raise

    def size_of(self, row: Row) -> int:
        """Return the bytes of its images."""
        return sum(len(part) for part in (row.foreground, row.mask, row.background) if part is not None)

    def finish(self, report: Report) -> None:
        """Save the rows if there are any, and name the split in the file by which `datasets` knows a DatasetDict."""
        if not report.counts["ok"]:
            return
        if not (self._target / "state.json").is_file():
            self._save(report.problems)
        self._note_split()

    def _save(self, problems: Sequence[Problem]) -> None:
        folder = self.work / "saved"
        shutil.rmtree(folder, ignore_errors=True)
        parts = [datasets.Dataset.from_file(str(part)) for part in sorted(self.work.glob("*.arrow"))]
        datasets.concatenate_datasets(parts).save_to_disk(str(folder))
        self.origin.write(folder, problems)  # first: what is renamed counts as done
        folder.replace(self._target)

    def _note_split(self) -> None:
        there = {path.parent.name for path in self.layout.root.glob("*/state.json")}  # another run may note its own
        write_text(self.layout.root / "dataset_dict.json", json.dumps({"splits": sorted(there)}))


class _RowWriter:
    def __init__(self, writer: Any, features: datasets.Features) -> None:
        self._writer, self._features = writer, features

    def has(self, folder: str, key: str) -> bool:
        """Return False: what is there of a unit is all of it."""
        del folder, key
        return False

    def take(self, outcome: Outcome) -> None:
        """Write a row."""
        if outcome.row is not None:
            self._writer.write(self._features.encode_example(dataclasses.asdict(outcome.row)))
