"""The folder of a run: its patches, the report of every shard, and the settings that all of it was made with.

patches/train-00000-of-00002.parquet ...  and manifest.json, written last
reports/train-00000-of-00002.json ...     a shard counts as finished when this is there too
progress/HOST-PROCESS.json                how far each process is with a shard
run.json                                  settings and images; a run goes on only with the same
.lock                                     held while run.json, manifest.json or report.json is changed
report.json                               the sum of the reports
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.files import stored, write_text
from fornet_hf.format.manifest import MANIFEST, SPLITS, Manifest, ShardEntry, read_manifest, write_manifest
from fornet_hf.locks import lock
from fornet_hf.progress import Ticks
from fornet_hf.sources import Columns
from producers.work.description import Settings, check_same, check_same_images, description, noted_columns
from producers.work.plan import Task
from producers.work.progress import forget, here, noted
from producers.work.report import Lost, Report


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run that makes patches; see the module.

    Attributes:
        root: its path.
        ticks: counts images that are done.
        where: host and device that do them, as `here` gives it; empty: this host's CPU.
    """

    root: Path
    ticks: Ticks | None = None
    where: str = ""

    def shard_counts(self) -> dict[str, int]:
        """Count the shards of each split that was begun here: a run that goes on keeps their number."""
        path = self.root / "run.json"
        known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"splits": {}}
        return {split: len(prints) for split, prints in known["splits"].items()}

    def columns(self) -> Columns:
        """Return the columns of the Parquet shards that were read, as they were noted.

        Raises:
            NotFoundError: no run was begun here.
        """
        path = self.root / "run.json"
        if not path.is_file():
            raise NotFoundError(explain("the run is missing", found=f"no {path}"))
        return Columns.of_release(json.loads(path.read_text(encoding="utf-8"))["producer"])

    def tick(self, images: int) -> None:
        """Tell whoever shows progress that some images more are done."""
        if self.ticks is not None:
            self.ticks.tick(images)

    @property
    def patches(self) -> Path:
        """The folder of the release."""
        return self.root / "patches"

    def shard(self, task: Task) -> Path:
        """Return where a task's patches go."""
        return self.patches / f"{task.name}.parquet"

    def finished(self, task: Task) -> bool:
        """Return whether a task needs no more work."""
        return self.shard(task).is_file() and self._report(task).is_file()

    def waiting(self, tasks: Sequence[Task]) -> list[Task]:
        """Return those of the tasks which are not finished."""
        return [task for task in tasks if not self.finished(task)]

    def left_to_others(self, tasks: Sequence[Task]) -> list[Task]:
        """Return those of a run's tasks which are not finished, once this machine has finished its own.

        Of those that end last at the same time on several machines, one at least finds none. For that it looks anew:
        NFS remembers for up to a minute that a file was missing, until the machine itself changes the folder.
        """
        for folder in (self.shard(tasks[0]).parent, self._reports):
            with stored(folder / "any"):
                folder.mkdir(parents=True, exist_ok=True)
                tempfile.NamedTemporaryFile(prefix=".", dir=folder).close()
        return self.waiting(tasks)

    def report(self, task: Task) -> Report:
        """Return the report of a finished task.

        Raises:
            ConfigurationError: its file is damaged.
        """
        return _read_report(self._report(task))

    @contextlib.contextmanager
    def reported(self, task: Task, lost: Iterable[Lost] = ()) -> Iterator[Report]:
        """Yield a task's report, to be filled. Unless something is raised it is stored: the task is finished.

        What no stage spent counts as writing.
        """
        where = self.where or here()
        with noted(self.root, where, task.name, task.number_of_images()) as watch:
            report = Report(lost=list(lost), where=where, watch=watch)
            start = time.perf_counter()
            yield report
            report.watch = None  # it goes to other processes
            spent = time.perf_counter() - start
            report.spend("write", spent - sum(report.seconds.values()))
            report.spend("all", spent)
            report.ended = time.time()
            _write_json(self._report(task), report.to_json())

    def reports(self) -> dict[str, Report]:
        """Return the reports of all finished shards by their names, in order.

        Raises:
            ConfigurationError: a file is damaged.
        """
        return {path.stem: _read_report(path) for path in sorted(self._reports.glob("*.json"))}

    def total(self) -> Report:
        """Return the sum of the reports of all shards that are finished."""
        result = Report()
        for report in self.reports().values():
            result.add(report)
        return result

    def begin(self, tasks: Sequence[Task], settings: Settings) -> None:
        """Note what this run makes, or check that it is what was begun here before.

        Raises:
            ConfigurationError: the folder holds a run with other settings or images.
        """
        with self._locked():
            self._begin(description(tasks, settings))

    def _begin(self, plan: Mapping[str, Any]) -> None:
        path = self.root / "run.json"
        known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {**plan, "splits": {}}
        before = dict(known["splits"])
        for name, value in plan.items():
            if name != "splits":
                check_same(path, name, known.get(name), value)
        for split, value in plan["splits"].items():
            check_same_images(path, split, known["splits"].setdefault(split, value), value)
        if known["splits"] != before:
            _write_json(path, known)

    def finish(self, tasks: Sequence[Task], settings: Settings, source: str, revision: str | None) -> Report:
        """Write the manifest and the summed report once all tasks are finished; returns the latter.

        Splits which an earlier command made stay in the manifest.
        """
        made: dict[str, tuple[ShardEntry, ...]] = {}
        for task in tasks:
            made[task.split] = (*made.get(task.split, ()), self._entry(task))
        with self._locked():
            before = read_manifest(self.patches).splits if (self.patches / MANIFEST).is_file() else {}
            splits = {**before, **made}
            manifest = Manifest(
                encoding=settings.encoding,
                splits={split: splits[split] for split in SPLITS if split in splits},
                source=source,
                source_revision=revision,
                classes=tasks[0].classes,
                producer={**settings.producer(), **noted_columns(tasks)},
            )
            write_manifest(self.patches, manifest)
            return self._summed()

    def _summed(self) -> Report:
        """Write the sum of all reports, and forget shards in progress, which killed processes may have left."""
        report = self.total()
        _write_json(self.root / "report.json", report.to_json())
        forget(self.root)
        return report

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes out of this folder: commands for two splits may run at the same time."""
        with stored(self.root / ".lock"):
            self.root.mkdir(parents=True, exist_ok=True)
            file = (self.root / ".lock").open("wb")
        with file:
            lock(file, wait=True)
            yield

    def _entry(self, task: Task) -> ShardEntry:
        rows = self.report(task).ok
        return ShardEntry.of(self.patches, self.shard(task).name, rows, task.source)

    @property
    def _reports(self) -> Path:
        return self.root / "reports"

    def _report(self, task: Task) -> Path:
        return self._reports / f"{task.name}.json"


@dataclass(frozen=True)
class CandidateFolder(RunFolder):
    """The folder of a segmenting run: its shards are candidates, and it has no manifest.

    candidates/train-00000-of-00294.parquet ...
    models.json                               which models were really used, with revisions and digests
    source.txt                                folder of the images, on the machine that began or resumed it last
    logs/HOST-PROCESS.log                     what happened when, with the traces of errors
    """

    @property
    def candidates(self) -> Path:
        """The folder of the shards."""
        return self.root / "candidates"

    def shard(self, task: Task) -> Path:
        """Return where a task's candidates go."""
        return self.candidates / f"{task.name}.parquet"

    def note_source(self, images: Path) -> None:
        """Note the folder of the images for whoever looks at the run; it may be another one when it is resumed."""
        write_text(self.root / "source.txt", f"{images.resolve()}\n")

    def source(self) -> Path:
        """Return the folder of the images, as it was noted.

        Raises:
            NotFoundError: it was not.
        """
        path = self.root / "source.txt"
        if not path.is_file():
            then = "Say where the images are."
            raise NotFoundError(explain("the run does not say where its images are", found=f"no {path}", then=then))
        return Path(path.read_text(encoding="utf-8").strip())

    def sum_up(self) -> Report:
        """Write the sum of all reports once no shard is missing; returns it."""
        return self._summed()


def _read_report(path: Path) -> Report:
    """Return a report; an older one, which does not say when it ended, did so when its file was written."""
    try:
        report = Report.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, LookupError, TypeError) as error:
        then = "Delete it, and give the command of the run again: that shard is made anew."
        raise ConfigurationError(explain(f"{path} is no report of a shard", found=error, then=then)) from error
    report.ended = report.ended or path.stat().st_mtime
    return report


def _write_json(path: Path, value: object) -> None:
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")
