"""Patches and images -> a `datasets` folder, for `datasets.load_from_disk`."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets

from fornet_hf.errors import ConfigurationError, ForNetError, explain
from fornet_hf.features import row_features
from fornet_hf.files import atomic_path, stored, write_text
from fornet_hf.format.rows import Row
from fornet_hf.hub.errors import Token
from fornet_hf.hub.location import Folder, Repository
from fornet_hf.layout.origin import Origin, origin_of, read_origin, write_origin
from fornet_hf.layout.outlook import outlook
from fornet_hf.layout.paths import Layout
from fornet_hf.layout.report import UNIT, Problem, Report, problem_of, read_problems
from fornet_hf.layout.work import alone_in
from fornet_hf.processes import max_workers, pool
from fornet_hf.progress import Ticks, counted, followed
from fornet_hf.release.healing import healed_outcomes
from fornet_hf.release.release import Release
from fornet_hf.release.units import Unit


@dataclass(frozen=True)
class _Job:
    unit: Unit
    split: str
    features: datasets.Features
    path: Path
    token: Token
    ticks: Ticks


def apply_to_dataset(
    release: Release,
    split: str,
    images: Folder | Repository,
    output: Path,
    *,
    token: Token = None,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Prepare the rows of a split, and save them as `output/{split}`, part of a DatasetDict.

    A split which is there already is not made again; of one that was broken off, finished units are kept, if they
    are of the same patches and images. Problems of single images are counted and written to
    `apply_problems_{train|val}_datasets.jsonl`; they stay problems until somebody deletes `output/{split}`, so that
    it is made anew.

    Args:
        release: the patches.
        split: `train` or `validation`.
        images: the sources.
        output: the folder of the DatasetDict.
        token: for the Hub.
        say: gets a line about how many images there are, and the space that they take.

    Raises:
        StorageError: the disk is full, or cannot be written.
        ConfigurationError: another run writes to the same place, or `output/{split}` holds something else: rows of
            other patches or images, or files.
        ForNetError: the release or all of the images cannot be found.
    """
    layout, work, target = Layout(output, split), output / f".{split}", output / split
    with stored(output):
        origin = origin_of(release, split, images)
        _check(target, origin)  # before any work
        with alone_in(work, layout):
            if _check(target, origin):
                report = _present(target, split)
            else:
                _begin(work, origin)
                features, units = row_features(release.class_names), release.units(split, images)
                ahead = outlook(split, units, _size_of, token)
                say(f"{ahead.line(output)}, and as much again until they are saved")
                with counted() as ticks:
                    jobs = [
                        _Job(unit, split, features, work / f"{n:05}.arrow", token, ticks)
                        for n, unit in enumerate(units)
                    ]
                    report = _prepare(jobs, layout, work, origin, ahead.images)
            report.write_problems(layout.dataset_problems)
            if report.counts["ok"]:
                _note_split(output, split)
            shutil.rmtree(work)
    return report


def _check(target: Path, origin: Origin) -> bool:
    """Whether the split is there; raises ConfigurationError if something else is."""
    if not (target / "state.json").is_file():
        if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
            then = "Name another folder with -o."
            raise ConfigurationError(
                explain(f"{target} is there, and is no dataset saved by this command", then=then)
            )
        return False
    found, _ = read_origin(target)
    if found != origin:
        what = f"{target} was made from something else"
        then = f"Name another folder with -o, or delete {target}."
        raise ConfigurationError(explain(what, found=found or "no note of what", allowed=origin, then=then))
    return True


def _present(target: Path, split: str) -> Report:
    _, problems = read_origin(target)
    return Report(split, present=len(datasets.load_from_disk(str(target))), problems=problems)


def _begin(work: Path, origin: Origin) -> None:
    """Keep what is in `work` only if it is of this origin."""
    if read_origin(work)[0] != origin:
        shutil.rmtree(work)
        work.mkdir()
        write_origin(work, origin)


def _size_of(row: Row) -> int:
    return sum(len(part) for part in (row.foreground, row.mask, row.background) if part is not None)


def _prepare(jobs: list[_Job], layout: Layout, work: Path, origin: Origin, total: int) -> Report:
    from datasets.utils import tqdm

    report = Report(layout.split)
    with (
        tqdm(desc=f"Applying patches of {layout.split}", unit="image", total=total) as bar,
        followed(jobs[0].ticks, bar) if jobs else contextlib.nullcontext(),
    ):
        for part in _reports(jobs):
            report.add(part)
    if report.counts["ok"]:
        saved = work / "saved"
        _save([job.path for job in jobs if job.path.is_file()], saved)
        write_origin(saved, origin, report.problems)  # first: what is renamed counts as done
        saved.replace(layout.root / layout.split)
    return report


def _reports(jobs: list[_Job]) -> Any:
    workers = min(max_workers(), len(jobs))
    if workers <= 1:
        yield from map(_write, jobs)
        return
    with pool(workers) as executor:
        yield from executor.map(_write, jobs)


def _write(job: _Job) -> Report:
    """The Arrow file of one unit, unless it is there."""
    from datasets.arrow_writer import ArrowWriter

    report, problems = Report(job.split), job.path.with_suffix(".problems")
    if job.path.is_file():
        report.present = len(datasets.Dataset.from_file(str(job.path)))
        report.problems = read_problems(problems)
        job.ticks.tick(report.present + len(report.problems))
        return report
    try:
        with (
            atomic_path(job.path) as temporary,
            ArrowWriter(features=job.features, path=str(temporary), writer_batch_size=256) as writer,
        ):
            for outcome in healed_outcomes(job.unit, job.token):
                job.ticks.tick()
                if outcome.row is not None:
                    writer.write(job.features.encode_example(dataclasses.asdict(outcome.row)))
                    report.made += 1
                elif outcome.error is not None:
                    name = f"{outcome.folder}/{outcome.key}"
                    report.problems.append(problem_of(outcome.error, name, class_missing=False))
            writer.finalize()
            report.write_problems(problems)
    except ForNetError as error:
        report.problems.append(Problem(UNIT, job.path.stem, str(error)))
    return report


def _save(parts: list[Path], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    whole = datasets.concatenate_datasets([datasets.Dataset.from_file(str(part)) for part in parts])
    whole.save_to_disk(str(folder))


def _note_split(output: Path, split: str) -> None:
    """Name the split in the file which tells `datasets` that this is a DatasetDict.

    So are all that are there, as the other split may be noted at the same moment.
    """
    there = {path.parent.name for path in output.glob("*/state.json")}
    write_text(output / "dataset_dict.json", json.dumps({"splits": sorted({*there, split})}))
