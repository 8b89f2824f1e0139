"""Patches and pictures -> a `datasets` folder, for `datasets.load_from_disk`."""

from __future__ import annotations

import dataclasses
import json
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import datasets

from fornet_hf.errors import ForNetError
from fornet_hf.features import row_features
from fornet_hf.files import atomic_path, write_text
from fornet_hf.hub import Token, open_file
from fornet_hf.local.jobs import storage_error
from fornet_hf.local.layout import Layout
from fornet_hf.local.pool import processes
from fornet_hf.local.report import UNIT, Problem, Report, problem_of, read_problems
from fornet_hf.local.work import alone_in
from fornet_hf.locations import Folder, Repository
from fornet_hf.prepare import Unit
from fornet_hf.progress import progress
from fornet_hf.release import Release
from fornet_hf.workers import max_workers


@dataclass(frozen=True)
class _Job:
    unit: Unit
    split: str
    features: datasets.Features
    path: Path
    token: Token


def apply_to_dataset(
    release: Release, split: str, pictures: Folder | Repository, output: Path, *, token: Token = None
) -> Report:
    """Prepare the rows of a split, and save them as `output/{split}`, part of a DatasetDict.

    A split which is there already is not made again; of one that was broken off, finished units are kept. Problems
    of single pictures are counted and written to `apply_problems_{train|val}.jsonl`; they stay problems until
    somebody deletes `output/{split}`, so that it is made anew.

    Args:
        release: the patches.
        split: `train` or `validation`.
        pictures: the sources.
        output: the folder of the DatasetDict.
        token: for the Hub.

    Raises:
        StorageError: the disk is full.
        ConfigurationError: another run writes to the same place.
        ForNetError: the release or all of the pictures cannot be found.
    """
    layout, work = Layout(output, split), output / f".{split}"
    try:
        with alone_in(work, layout):
            report = _present(layout)
            if report is None:
                features = row_features(release.class_names)
                units = enumerate(release.units(split, pictures))
                jobs = [_Job(unit, split, features, work / f"{n:05}.arrow", token) for n, unit in units]
                report = _prepare(jobs, layout, work)
            if report.counts["ok"]:
                _note_split(output, split)
            shutil.rmtree(work)
    except OSError as error:
        if isinstance(error, ForNetError):
            raise
        raise storage_error(error) from error
    return report


def _present(layout: Layout) -> Report | None:
    target = layout.root / layout.split
    if not (target / "state.json").is_file():
        return None
    rows = len(datasets.load_from_disk(str(target)))
    return Report(layout.split, present=rows, problems=read_problems(layout.problems))


def _prepare(jobs: list[_Job], layout: Layout, work: Path) -> Report:
    report = Report(layout.split)
    for part in progress(_reports(jobs), f"Applying patches of {layout.split}", "unit"):
        report.add(part)
    report.write_problems(layout.problems)  # first: what is saved counts as done
    if report.counts["ok"]:
        _save([job.path for job in jobs if job.path.is_file()], work / "saved", layout.root / layout.split)
    return report


def _reports(jobs: list[_Job]) -> Any:
    workers = min(max_workers(), len(jobs))
    if workers <= 1:
        yield from map(_write, jobs)
        return
    with processes(workers) as pool:
        yield from pool.map(_write, jobs)


def _write(job: _Job) -> Report:
    """The Arrow file of one unit, unless it is there."""
    from datasets.arrow_writer import ArrowWriter

    report, problems = Report(job.split), job.path.with_suffix(".problems")
    if job.path.is_file():
        report.present = len(datasets.Dataset.from_file(str(job.path)))
        report.problems = read_problems(problems)
        return report
    try:
        with (
            atomic_path(job.path) as temporary,
            ArrowWriter(features=job.features, path=str(temporary), writer_batch_size=256) as writer,
        ):
            for outcome in job.unit.outcomes(partial(open_file, token=job.token)):
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


def _save(parts: list[Path], temporary: Path, target: Path) -> None:
    shutil.rmtree(temporary, ignore_errors=True)
    whole = datasets.concatenate_datasets([datasets.Dataset.from_file(str(part)) for part in parts])
    whole.save_to_disk(str(temporary))
    temporary.replace(target)


def _note_split(output: Path, split: str) -> None:
    """Name the split in the file which tells `datasets` that this is a DatasetDict."""
    path = output / "dataset_dict.json"
    splits = json.loads(path.read_text())["splits"] if path.is_file() else []
    write_text(path, json.dumps({"splits": sorted({*splits, split})}))
