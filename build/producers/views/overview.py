"""An overview of a run: its shards, outcomes, devices and pace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fornet_hf.errors import NotFoundError, explain
from producers.views.pace import Stretch, average, rate, recent
from producers.work.progress import Running, running
from producers.work.report import Report
from producers.work.run_folder import RunFolder

SILENT = 900.0  # seconds without a word after which a process is said to be silent


@dataclass(frozen=True, kw_only=True)
class Device:
    """One GPU or CPU, whatever the number of its processes.

    Attributes:
        where: host and device; empty for reports that do not say.
        shards: that it has finished.
        images: that it has done, those of shards in progress too.
        recent: images an hour over the run's recent span.
        average: images an hour while it worked.
        ended: when it finished its last shard, seconds since 1970; None if none yet.
        silent: seconds since its last word, if they are many; else None.
    """

    where: str
    shards: int
    images: int
    recent: float
    average: float
    ended: float | None
    silent: float | None


@dataclass(frozen=True, kw_only=True)
class Overview:
    """A run at one time.

    Attributes:
        now: seconds since 1970.
        shards: for each split, how many are finished and how many there are.
        report: the sum over those which are finished.
        devices: that work or have worked, by name.
        running: shards in progress, those of killed processes among them.
        recent: images an hour over the recent span: the last hour of uninterrupted work.
        average: images an hour while anybody worked.
        seconds_left: at the recent pace; None if it is unknown.
    """

    now: float
    shards: Mapping[str, tuple[int, int]]
    report: Report
    devices: Sequence[Device]
    running: Sequence[Running]
    recent: float
    average: float
    seconds_left: float | None

    @property
    def left(self) -> int:
        """Shards that are not finished."""
        return sum(count - done for done, count in self.shards.values())

    @property
    def ends(self) -> datetime | None:
        """The local time at which it will be done at this pace."""
        return (
            None if self.seconds_left is None else datetime.fromtimestamp(self.now + self.seconds_left).astimezone()
        )

    def shares(self) -> dict[str, float]:
        """Return the share of each outcome and reason among the images, 0 to 1, the most frequent reasons first."""
        counts = {**self.report.outcomes(), **self.report.reasons()}
        return {name: count / max(1, self.report.images) for name, count in counts.items()}

    def stages(self) -> dict[str, float]:
        """Return the share of each stage in the time, 0 to 1, the longest first."""
        seconds = dict(self.report.seconds)
        whole = seconds.pop("all", 0.0)
        ordered = sorted(seconds.items(), key=lambda one: -one[1])
        return {stage: spent / whole for stage, spent in ordered} if whole else {}

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object; times are seconds since 1970."""
        return {
            "now": self.now,
            "shards": {split: {"finished": done, "of": of} for split, (done, of) in self.shards.items()},
            "images": self.report.images,
            "shares": self.shares(),
            "stages": self.stages(),
            "images_an_hour": {"recent": self.recent, "average": self.average},
            "seconds_left": self.seconds_left,
            "devices": [asdict(one) for one in self.devices],
            "running": [asdict(one) for one in self.running],
        }


def overview(run: Path, now: float) -> Overview:
    """Read how far a run is.

    Args:
        run: its folder.
        now: seconds since 1970.

    Raises:
        NotFoundError: the folder holds no run.
        ConfigurationError: a report is damaged.
    """
    plan = run / "run.json"
    if not plan.is_file():
        raise NotFoundError(explain(f"{run} is not the folder of a run", found=f"no file {plan}"))
    folder = RunFolder(run)
    reports = folder.reports()
    at_work = running(run, reports, now)
    counts = folder.shard_counts()
    shards = {split: (sum(name.startswith(f"{split}-") for name in reports), of) for split, of in counts.items()}
    total = Report()
    for report in reports.values():
        total.add(report)
    alive = [one for one in at_work if now - one.seen <= SILENT and not one.ended]
    stretches = [*map(_done, reports.values()), *map(_begun, alive)]
    span = recent(stretches)
    pace, left = rate(stretches, *span), sum(of - done for done, of in shards.values())
    rest = max(0.0, left * _usual(total, len(reports), at_work) - sum(one.images for one in alive))
    names = sorted({report.where for report in reports.values()} | {one.where for one in at_work})
    return Overview(
        now=now,
        shards=shards,
        report=total,
        devices=[_device(name, reports, at_work, span, now if left else None) for name in names],
        running=at_work,
        recent=pace,
        average=average(stretches),
        seconds_left=3600 * rest / pace if left and pace else None,
    )


def _done(report: Report) -> Stretch:
    return Stretch(report.ended - report.seconds.get("all", 0.0), report.ended, report.images)


def _begun(one: Running) -> Stretch:
    return Stretch(one.begun, one.seen, one.images)


def _usual(total: Report, finished: int, at_work: Sequence[Running]) -> float:
    """Return the number of images of a shard."""
    if finished:
        return total.images / finished
    return sum(one.of for one in at_work) / max(1, len(at_work))


def _device(
    where: str,
    reports: Mapping[str, Report],
    at_work: Sequence[Running],
    span: tuple[float, float],
    now: float | None,
) -> Device:
    """Return a device; without a time it may be silent, as the run is done."""
    done = [report for report in reports.values() if report.where == where]
    begun = [one for one in at_work if one.where == where]
    stretches = [*map(_done, done), *map(_begun, begun)]
    silent = 0.0 if now is None else now - max(one.end for one in stretches)
    usual = max((report.seconds.get("all", 0.0) for report in done), default=0.0)
    return Device(
        where=where,
        shards=len(done),
        images=sum(one.images for one in stretches),
        recent=rate(stretches, *span),
        average=average(stretches),
        ended=max((report.ended for report in done), default=None),
        silent=silent if silent > max(SILENT, 3 * usual) else None,
    )
