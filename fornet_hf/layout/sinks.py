"""The forms in which `apply` leaves a split: files in class folders, and zips; `saved` has the third.

A sink is a plain value that travels to the processes. There it opens a writer for each unit of work.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.files import atomic_path, write_text
from fornet_hf.format.rows import Row, cutout
from fornet_hf.hub.location import Folder, Repository
from fornet_hf.layout.journal import Done, Journal, Places, read_journals
from fornet_hf.layout.pack import merge
from fornet_hf.layout.paths import BACKGROUNDS, FOREGROUNDS, KINDS, Layout, write_classes
from fornet_hf.layout.report import Report
from fornet_hf.layout.trees import ZipTree
from fornet_hf.release.interface import Release
from fornet_hf.release.legacy import read_ratios
from fornet_hf.release.units import Outcome

S = TypeVar("S", bound="Sink")

QUALITY = 80  # of Pillow's WEBP by default, and so of the public tool
_METHOD = 2  # of 0 (fast) to 6 (small): 9 % larger files than by default, in half the time
_ZIPPED = "zipped.npy"  # sorted `{class}/{key}`


class Writer(Protocol):
    """Takes the images of a unit of work, in the process that makes them."""

    def has(self, folder: str, key: str) -> bool:
        """Return whether nothing is left to do for an image."""

    def take(self, outcome: Outcome) -> None:
        """Keep an image that was made; one without a row is there already."""


@dataclass(frozen=True)
class Sink(ABC):
    """A form of a split.

    Attributes:
        layout: of the split.
        divisible: several processes may work at one unit.
        aside: what else the outlook says of space.
    """

    layout: Layout
    divisible: ClassVar[bool] = True
    aside: ClassVar[str] = ""

    @classmethod
    def of(cls: type[S], layout: Layout, release: Release, images: Folder | Repository) -> S:
        """Return the sink for a release and its images."""
        del release, images
        return cls(layout)

    @property
    def work(self) -> Path:
        """The folder of what is not finished."""
        return self.layout.work

    @property
    def problems(self) -> Path:
        """The file in which images are listed that could not be made."""
        return self.layout.problems

    @abstractmethod
    def check(self) -> None:
        """Raise a ConfigurationError if something is there that does not go with what is to be made."""

    def complete(self) -> Report | None:
        """Return what is known of a split which needs no more work, else None."""
        return None

    def begin(self, release: Release) -> None:
        """Prepare the folder of work, in which no other run is."""
        if release.classes is not None:
            write_classes(self.layout.root, release.classes)

    def unit_done(self, number: int) -> Report | None:
        """Return what became of a unit which needs no more work, else None."""
        del number
        return None

    @abstractmethod
    def writer(self, number: int, report: Report) -> AbstractContextManager[Writer]:
        """Return a writer for a unit; the report is filled meanwhile."""

    @abstractmethod
    def size_of(self, row: Row) -> int:
        """Return how many bytes an image takes."""

    @abstractmethod
    def finish(self, report: Report) -> None:
        """Put together what the units' writers have left."""


class FolderSink(Sink):
    """Files in class folders, each of which is there as a whole, or not at all."""

    def check(self) -> None:
        """Refuse zips: whoever reads the result takes them, and would not see what is made in folders."""
        if there := [path.name for path in map(self.layout.archive, KINDS) if path.is_file()]:
            then = "Add --zip to complete them, or delete them and, when the folders are complete, run: fornet pack."
            what = f"{self.layout.root} has zips of {self.layout.split!r}, which are read instead of folders"
            raise ConfigurationError(explain(what, found=there, then=then))

    @contextlib.contextmanager
    def writer(self, number: int, report: Report) -> Iterator[Writer]:
        """Yield a writer that goes on where earlier attempts ended."""
        del report
        known = {(done.folder, done.key): done for done in read_journals(self.work, number)}
        with Journal(self.work, number) as journal:
            yield self._writer(journal, known)

    def _writer(self, journal: Journal, known: _Known) -> Writer:
        return _FolderWriter(self.layout, journal, known)

    def size_of(self, row: Row) -> int:
        """Return the bytes of its files."""
        return sum(map(len, files_of(row).values()))

    def finish(self, report: Report) -> None:
        """Write the ratios of all images beside those that are there; one to a line, sorted by name."""
        del report
        ratios = {(one.folder, one.key): one.ratio for one in read_journals(self.work)}
        known = read_ratios(self.layout.ratios) if self.layout.ratios.is_file() else {}
        if {key: ratio for (_, key), ratio in ratios.items()}.items() <= known.items():
            return
        there: Mapping[str, float] = json.loads(self.layout.ratios.read_bytes()) if known else {}
        entries = {f"{self.layout.name}/{'/'.join(name.split('/')[-3:])}": ratio for name, ratio in there.items()}
        entries.update({self.layout.member(BACKGROUNDS, *name): ratio for name, ratio in ratios.items()})
        lines = (f"{json.dumps(name)}: {json.dumps(ratio)}" for name, ratio in sorted(entries.items()))
        write_text(self.layout.ratios, "{" + ",\n".join(lines) + "}\n")


class ZipSink(FolderSink):
    """Zips without compression; the images are kept together in `.apply` until all are there."""

    aside = ", and as much again until the zips are written"

    def check(self) -> None:
        """Accept all: zips that are there are completed."""

    def begin(self, release: Release) -> None:
        """Also write down which images both zips have, for all processes: to list a zip takes seconds and a GB.

        Raises:
            PatchFormatError: a zip is damaged.
        """
        super().begin(release)
        path = self.work / _ZIPPED
        path.unlink(missing_ok=True)
        if all(self.layout.archive(kind).is_file() for kind in KINDS):
            one, other = (ZipTree.open(self.layout, kind).entries.paths() for kind in KINDS)
            both = one.filter(pc.is_in(one, value_set=other)).cast(pa.binary()).to_numpy(zero_copy_only=False)
            if len(both):  # an empty file cannot be mapped
                with atomic_path(path) as temporary, temporary.open("wb") as file:
                    np.save(file, np.sort(both.astype("S")))

    def _writer(self, journal: Journal, known: _Known) -> Writer:
        return _ZipWriter(self.layout, journal, known)

    def finish(self, report: Report) -> None:
        """Write the zips, and the ratios."""
        for kind in KINDS:
            merge(self.layout, kind, read_journals(self.work))
        super().finish(report)


_Known = Mapping[tuple[str, str], Done]


class _JournalWriter(ABC):
    """Notes each image in a journal as soon as it is there."""

    def __init__(self, layout: Layout, journal: Journal, known: _Known) -> None:
        self._layout, self._journal, self._known = layout, journal, known

    @abstractmethod
    def has(self, folder: str, key: str) -> bool:
        """Return whether nothing is left to do for an image."""

    @abstractmethod
    def _put(self, folder: str, key: str, files: Mapping[str, bytes]) -> Places:
        """Keep the files of an image; returns what the journal says of them."""

    def take(self, outcome: Outcome) -> None:
        folder, key = outcome.folder, outcome.key
        if outcome.row is not None:
            places = self._put(folder, key, files_of(outcome.row))
            self._journal.write(folder, key, outcome.ratio, places)
        elif (folder, key) not in self._known:
            self._journal.write(folder, key, outcome.ratio, dict.fromkeys(KINDS))


class _FolderWriter(_JournalWriter):
    def __init__(self, layout: Layout, journal: Journal, known: _Known) -> None:
        super().__init__(layout, journal, known)
        self._made: set[Path] = set()

    def has(self, folder: str, key: str) -> bool:
        """Return whether its files exist: those of the journal, else both."""
        done = self._known.get((folder, key))
        return all(self._layout.file(kind, folder, key).is_file() for kind in (done.kinds if done else KINDS))

    def _put(self, folder: str, key: str, files: Mapping[str, bytes]) -> Places:
        for kind, data in files.items():
            path = self._layout.file(kind, folder, key)
            if path.parent not in self._made:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._made.add(path.parent)
            # Above the class folders: it may be a link to another disk, and `alone_in` looks there for leftovers.
            temporary = self._layout.folder(kind) / f".{os.getpid()}.tmp"
            try:
                temporary.write_bytes(data)
                temporary.replace(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        return dict.fromkeys(files)


class _ZipWriter(_JournalWriter):
    def has(self, folder: str, key: str) -> bool:
        """Return whether it is in a journal, or in zips that are there already."""
        done = self._known.get((folder, key))
        if done is not None and None not in done.kinds.values():
            return True
        name, names = f"{folder}/{key}".encode(), self._zipped
        if not len(names) or len(name) > names.itemsize:
            return False
        index = np.searchsorted(names, name)
        return bool(index < len(names) and names[index] == name)

    def _put(self, folder: str, key: str, files: Mapping[str, bytes]) -> Places:
        del folder, key
        return self._journal.keep(files)

    @cached_property
    def _zipped(self) -> npt.NDArray[np.bytes_]:
        path = self._layout.work / _ZIPPED
        return np.load(path, mmap_mode="r") if path.is_file() else np.empty(0, "S1")


def files_of(row: Row, *, lossless: bool = False) -> dict[str, bytes]:
    """Return the files of a row by kind: the object as WEBP with transparency, the background as it is.

    Args:
        row: a prepared row; the kind that it lacks is left out.
        lossless: keep the foreground's pixels exactly, those around the object included.
    """
    files = {}
    if row.foreground is not None and row.mask is not None:
        image = cutout(dataclasses.asdict(row))
        buffer = io.BytesIO()
        tight = image.crop(image.getchannel("A").getbbox())
        tight.save(buffer, "WEBP", quality=QUALITY, method=_METHOD, lossless=lossless, exact=lossless)
        files[FOREGROUNDS] = buffer.getvalue()
    if row.background is not None:
        files[BACKGROUNDS] = row.background
    return files
