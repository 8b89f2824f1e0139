"""Patches and images -> ForNet in files, in parallel, and taken up again after whatever ended it.

One engine fills every form of a split; see `sinks` and `saved` for what they differ in.
"""

from __future__ import annotations

import contextlib
import shutil
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from fornet_hf.errors import ConfigurationError, ForNetError, StorageError, explain
from fornet_hf.files import readable_bytes, stored
from fornet_hf.hub.errors import Token
from fornet_hf.hub.location import Folder, Repository
from fornet_hf.layout.journal import alone_in
from fornet_hf.layout.paths import Layout
from fornet_hf.layout.report import UNIT, Problem, Report, problem_of
from fornet_hf.layout.sinks import FolderSink, Sink
from fornet_hf.processes import each_done, max_workers
from fornet_hf.progress import Ticks, counted, followed
from fornet_hf.release.healing import healed_outcomes
from fornet_hf.release.interface import Release
from fornet_hf.release.units import Unit

_SAMPLE = 8  # images that are made to learn how large they are


def apply(
    release: Release,
    split: str,
    images: Folder | Repository,
    output: Path,
    form: type[Sink] = FolderSink,
    *,
    token: Token = None,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Apply the patches of a split with MAX_WORKERS processes.

    What an earlier run made is not made again. Problems of single images are counted and listed in
    `apply_problems_{train|val}.jsonl`, or `..._datasets.jsonl`. Running it again tries those of folders and zips
    anew; in a `datasets` folder, units of work that are finished stay as they are.

    Args:
        release: the patches.
        split: `train` or `validation`.
        images: the sources.
        output: the folder of the public layout, or of the DatasetDict.
        form: `FolderSink`, `ZipSink` or `DatasetSink`. While the last two are made, the disk holds the result twice.
        token: for the Hub.
        say: gets a line about how many images there are, and the space that they take.

    Raises:
        StorageError: the disk is full, or cannot be written; what was made stays, and running it again goes on.
        ConfigurationError: another run writes to the same place, or something is there that does not go with it:
            zips that hide the folders, or rows of other patches or images.
        ForNetError: the release or all of the images cannot be found.
    """
    sink = form.of(Layout(output, split), release, images)
    with stored(output):
        sink.check()  # before any work
        with alone_in(sink.work, sink.layout):
            report = sink.complete()
            if report is None:
                sink.begin(release)
                report = _fill(sink, release.units(split, images), token, say)
            sink.finish(report)
            report.write_problems(sink.problems)
            shutil.rmtree(sink.work)
            with contextlib.suppress(OSError):
                sink.layout.work.parent.rmdir()  # unless the other split is being made
    return report


def _fill(sink: Sink, units: Sequence[Unit], token: Token, say: Callable[[str], None]) -> Report:
    """Do all units that are not done."""
    from datasets.utils import tqdm

    split, seen = sink.layout.split, set[str]()
    total = sum(unit.count(seen) for unit in units)
    say(f"{split}: {total:,} images" + _space(sink, units, total, token))
    report = Report(split)
    with counted() as ticks:
        jobs = []
        for number, unit in enumerate(units):
            if done := sink.unit_done(number):
                report.add(done)
            else:
                jobs += _shares(sink, number, unit, len(units), token, ticks)
        before = report.present + len(report.problems)
        with (
            tqdm(desc=f"Applying patches of {split}", unit="image", total=total, initial=before) as bar,
            followed(ticks, bar),
        ):
            parts = sorted(each_done(do, jobs, max_workers()), key=lambda done: (done[0].number, done[0].share))
            for _, part in parts:
                report.add(part)
    report.problems = list(dict.fromkeys(report.problems))  # shares of a unit have some in common
    return report


@dataclass(frozen=True, kw_only=True)
class Job:
    """A unit, or the share of it that one process takes.

    Attributes:
        unit: the work.
        number: of the unit in its split.
        share: which of the `shares` parts of the unit; parts are told apart by a checksum of the key.
        shares: how many.
        sink: where the images go.
        token: for the Hub.
        ticks: gets one for each image.
    """

    unit: Unit
    number: int
    share: int
    shares: int
    sink: Sink
    token: Token
    ticks: Ticks

    def mine(self, key: str) -> bool:
        """Return whether an image is in this share."""
        return self.shares == 1 or zlib.crc32(key.encode()) % self.shares == self.share


def do(job: Job) -> Report:
    """Make the images of a job; problems of single images, and of the whole unit, are counted.

    Raises:
        StorageError: the disk is full, or cannot be written.
    """
    layout = job.sink.layout
    report = Report(layout.split)
    try:
        with stored(layout.root), job.sink.writer(job.number, report) as writer:
            for one in healed_outcomes(
                job.unit, job.token, lambda folder, key: not job.mine(key) or writer.has(folder, key)
            ):
                if not job.mine(one.key):
                    continue
                if one.error is not None:
                    missing = job.unit.lacks_class(one.folder)
                    report.problems.append(problem_of(one.error, f"{one.folder}/{one.key}", class_missing=missing))
                else:
                    writer.take(one)
                    report.made += one.row is not None
                    report.present += one.row is None
                job.ticks.tick()
    except StorageError:
        raise
    except ForNetError as error:
        report.problems.append(Problem(UNIT, f"unit {job.number}", str(error)))
    return report


def _shares(sink: Sink, number: int, unit: Unit, units: int, token: Token, ticks: Ticks) -> list[Job]:
    """Return the jobs of a unit: so many that no worker is idle, where images are read by name."""
    shares = -(-max_workers() // units) if sink.divisible and unit.by_name else 1
    return [
        Job(unit=unit, number=number, share=share, shares=shares, sink=sink, token=token, ticks=ticks)
        for share in range(shares)
    ]


def _space(sink: Sink, units: Sequence[Unit], images: int, token: Token) -> str:
    """Say how much space the images take, and how much there is; a few are made to see how large they are."""
    sizes: list[int] = []
    with contextlib.suppress(ForNetError):
        outcomes = healed_outcomes(units[0], token) if units else iter(())
        rows = (outcome.row for outcome in islice(outcomes, 4 * _SAMPLE) if outcome.row is not None)
        sizes.extend(sink.size_of(row) for row in islice(rows, _SAMPLE))
    if not sizes:
        return sink.aside
    needed, free = int(images * sum(sizes) / len(sizes)), shutil.disk_usage(sink.layout.root).free
    line = f", which take about {readable_bytes(needed)} when all are there"
    line += f"; {readable_bytes(free)} are free in {sink.layout.root}"
    return line + (": too little, unless most of them are there" if needed > free else "") + sink.aside


def deletable(release: Release) -> Folder:
    """Return the folder of a release whose files may be deleted.

    Raises:
        ConfigurationError: the release is on the Hub (its copies in the cache are kept), or its files are links,
            as in the Hub's cache.
    """
    location, then = release.location, "Delete downloads with: hf cache rm"
    if not isinstance(location, Folder):
        what, allowed = "patches are only deleted from a folder", "-p FOLDER"
        raise ConfigurationError(explain(what, found=location, allowed=allowed, then=then))
    for split in release.splits:
        paths = [location.root / name for name in release.files(split)]
        if links := [path for path in paths if path.is_symlink()]:
            raise ConfigurationError(explain("patches that are links are not deleted", found=links[0], then=then))
    return location


def delete_patches(release: Release, splits: Sequence[str]) -> list[Path]:
    """Delete the patch files of splits; ratios stay, a manifest names what is left. Returns what was deleted.

    Raises:
        ConfigurationError: as `deletable`.
    """
    root = deletable(release).root
    names = [name for split in splits for name in release.files(split)]
    # First: of shards that nobody names, none is looked for.
    files = [root / name for name in (*release.forget(splits), *names)]
    for path in files:
        path.unlink(missing_ok=True)
    return files
