"""The work of one process of `apply`: one unit, image by image."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from fornet_hf.errors import ForNetError, StorageError
from fornet_hf.files import stored
from fornet_hf.hub.errors import Token
from fornet_hf.layout.images import files_of
from fornet_hf.layout.journal import Journal, read_journals
from fornet_hf.layout.paths import KINDS, Layout
from fornet_hf.layout.report import UNIT, Problem, Report, problem_of
from fornet_hf.layout.sinks import FolderSink, Sink, SpoolSink
from fornet_hf.release.healing import healed_outcomes
from fornet_hf.release.units import Outcome, Skip, Unit


@dataclass(frozen=True, kw_only=True)
class Job:
    """A unit, or the share of it that one process takes.

    Attributes:
        unit: the work.
        number: of the unit in its split.
        share: which of the `shares` parts of the unit; parts are told apart by a checksum of the key.
        shares: how many.
        layout: where the images go.
        zips: they are kept together for zips.
        token: for the Hub.
    """

    unit: Unit
    number: int
    share: int
    shares: int
    layout: Layout
    zips: bool
    token: Token = None

    def mine(self, key: str) -> bool:
        """Whether this image is in this share."""
        return self.shares == 1 or zlib.crc32(key.encode()) % self.shares == self.share


def do(job: Job) -> Report:
    """Make the images of a job; problems of single images, and of the whole unit, are counted.

    Raises:
        StorageError: the disk is full, or cannot be written.
    """
    report = Report(job.layout.split)
    sink: Sink = SpoolSink(job.layout) if job.zips else FolderSink(job.layout)
    known = {(done.folder, done.key): done for done in read_journals(job.layout.work, job.number)}
    try:
        with stored(job.layout.root), Journal(job.layout.work, job.number) as journal:
            for outcome in _outcomes(job, lambda folder, key: sink.has(folder, key, known.get((folder, key)))):
                _take(job, outcome, sink, journal, report, known=(outcome.folder, outcome.key) in known)
    except StorageError:
        raise
    except ForNetError as error:
        report.problems.append(Problem(UNIT, f"unit {job.number}", str(error)))
    return report


def _outcomes(job: Job, has: Skip) -> Iterator[Outcome]:
    for outcome in healed_outcomes(job.unit, job.token, lambda folder, key: not job.mine(key) or has(folder, key)):
        if job.mine(outcome.key):
            yield outcome


def _take(job: Job, outcome: Outcome, sink: Sink, journal: Journal, report: Report, *, known: bool) -> None:
    folder, key = outcome.folder, outcome.key
    if outcome.error is not None:
        missing = job.unit.lacks_class(folder)
        report.problems.append(problem_of(outcome.error, f"{folder}/{key}", class_missing=missing))
    elif outcome.row is None:
        report.present += 1
        if not known:
            journal.write(folder, key, outcome.ratio, dict.fromkeys(KINDS))
    else:
        journal.write(folder, key, outcome.ratio, sink.put(journal, folder, key, files_of(outcome.row)))
        report.made += 1


def shares_of(units: int, workers: int, *, by_name: bool) -> int:
    """Into how many jobs each unit is split, so that no worker is idle; only where images are read by name."""
    return -(-workers // units) if by_name and units else 1
