"""Patches and images -> the public tools' layout, in parallel, and taken up again after whatever ended it."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from pathlib import Path

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.files import stored, write_text
from fornet_hf.hub.errors import Token
from fornet_hf.hub.location import Folder, Repository
from fornet_hf.layout.images import files_of
from fornet_hf.layout.jobs import Job, do, shares_of
from fornet_hf.layout.journal import Follower, read_journals
from fornet_hf.layout.outlook import outlook
from fornet_hf.layout.pack import merge
from fornet_hf.layout.paths import BACKGROUNDS, KINDS, Layout, write_classes
from fornet_hf.layout.report import Report
from fornet_hf.layout.sinks import note_zipped
from fornet_hf.layout.work import alone_in
from fornet_hf.processes import max_workers, pool
from fornet_hf.release.legacy import read_ratios
from fornet_hf.release.release import Release
from fornet_hf.release.units import Unit


def apply(
    release: Release,
    split: str,
    images: Folder | Repository,
    output: Path,
    *,
    zips: bool = False,
    token: Token = None,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Apply the patches of a split with MAX_WORKERS processes.

    What an earlier run made is not made again. Problems of single images are counted and written to
    `apply_problems_{train|val}.jsonl`; running it again tries those anew.

    Args:
        release: the patches.
        split: `train` or `validation`.
        images: the sources.
        output: the folder of the public layout.
        zips: write zips without compression instead of files; until they are written, their bytes are kept in
            `.apply` too, so the disk holds the larger of both zips twice.
        token: for the Hub.
        say: gets a line about how many images there are, and the space that they take.

    Raises:
        StorageError: the disk is full, or cannot be written; what was made stays, and running it again goes on.
        ConfigurationError: another run writes to the same place, or there are zips which hide the folders.
        ForNetError: the release or all of the images cannot be found.
    """
    layout = Layout(output, split)
    if not zips:
        _refuse_zips(layout)
    with stored(output), alone_in(layout.work, layout):
        if release.classes is not None:
            write_classes(output, release.classes)
        if zips:
            note_zipped(layout)
        units = release.units(split, images)
        ahead = outlook(split, units, lambda row: sum(map(len, files_of(row).values())), token)
        say(ahead.line(output) + (", and as much again until the zips are written" if zips else ""))
        report = _run(_jobs(units, layout, zips=zips, token=token), layout, ahead.images)
        _finish(layout, report, zips=zips)
    return report


def _refuse_zips(layout: Layout) -> None:
    """Whoever reads the result takes zips, where there are any, and would not see what is made in folders."""
    if there := [layout.archive(kind).name for kind in KINDS if layout.archive(kind).is_file()]:
        then = "Add --zip to complete them, or delete them and, when the folders are complete, run: fornet pack."
        what = f"{layout.root} has zips of {layout.split!r}, which are read instead of folders"
        raise ConfigurationError(explain(what, found=there, then=then))


def _jobs(units: Sequence[Unit], layout: Layout, *, zips: bool, token: Token) -> list[Job]:
    shares = shares_of(len(units), max_workers(), by_name=all(unit.by_name for unit in units))
    return [
        Job(unit=unit, number=number, share=share, shares=shares, layout=layout, zips=zips, token=token)
        for number, unit in enumerate(units)
        for share in range(shares)
    ]


def _run(jobs: Sequence[Job], layout: Layout, total: int) -> Report:
    report = Report(layout.split)
    for part in _parts(jobs, layout, total):
        report.add(part)
    report.problems = list(dict.fromkeys(report.problems))  # shares of a unit have some in common
    return report


def _parts(jobs: Sequence[Job], layout: Layout, total: int) -> Iterator[Report]:
    from datasets.utils import tqdm

    workers = min(max_workers(), len(jobs))
    follower, before = Follower(layout.work), sum(1 for _ in read_journals(layout.work))
    with tqdm(desc=f"Applying patches of {layout.split}", unit="image", total=total, initial=before) as bar:
        if workers == 1:
            for job in jobs:
                yield do(job)
                bar.update(follower.new())
            return
        with pool(workers) as executor:
            waiting: set[Future[Report]] = {executor.submit(do, job) for job in jobs}
            while waiting:
                done, waiting = wait(waiting, timeout=0.5)
                bar.update(follower.new())
                yield from (job.result() for job in done)


def _finish(layout: Layout, report: Report, *, zips: bool) -> None:
    """Ratios, zips and problems; then nothing is left of the work."""
    if zips:
        for kind in KINDS:
            merge(layout, kind, read_journals(layout.work))
    _write_ratios(layout)
    report.write_problems(layout.problems)
    shutil.rmtree(layout.work)
    with contextlib.suppress(OSError):
        layout.work.parent.rmdir()  # unless the other split is being made


def _write_ratios(layout: Layout) -> None:
    """The ratios of all images, beside those that are there; one to a line, in the order of their names."""
    ratios = {(one.folder, one.key): one.ratio for one in read_journals(layout.work)}
    known = read_ratios(layout.ratios) if layout.ratios.is_file() else {}
    if {key: ratio for (_, key), ratio in ratios.items()}.items() <= known.items():
        return
    entries = _entries(layout) if known else {}
    entries.update({layout.member(BACKGROUNDS, *name): ratio for name, ratio in ratios.items()})
    lines = (f"{json.dumps(name)}: {json.dumps(ratio)}" for name, ratio in sorted(entries.items()))
    write_text(layout.ratios, "{" + ",\n".join(lines) + "}\n")


def _entries(layout: Layout) -> dict[str, float]:
    """What the file of ratios has, by names as in this layout."""
    entries: Iterable[tuple[str, float]] = json.loads(layout.ratios.read_bytes()).items()
    return {f"{layout.name}/{'/'.join(name.split('/')[-3:])}": ratio for name, ratio in entries}
