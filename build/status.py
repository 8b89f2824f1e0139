#!/usr/bin/env python
"""Say how far a run is: shards, outcomes, images a second, and how long it may still take.

    python build/status.py RUN

RUN is the folder of a run of segment.py, select_versions.py, create_patches.py or import_release.py; it may be
going on. Exit status: 0 all shards are finished, 3 some are not, 1 an error that a message explains.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from fornet_hf.errors import ForNetError, NotFoundError, explain
from producers.work.command import described
from producers.work.report import Report
from producers.work.run_folder import RunFolder


@dataclass(frozen=True)
class Status:
    """The status of a run.

    Attributes:
        shards: for each split, how many are finished and how many there are.
        report: the sum over those which are finished.
        span: seconds between the first and the last finished shard of those that came in without a long pause.
        recent: number of shards that were finished in this span, the first not counted.
    """

    shards: dict[str, tuple[int, int]]
    report: Report
    span: float
    recent: int

    @property
    def left(self) -> int:
        """Shards that are not finished."""
        return sum(count - done for done, count in self.shards.values())

    def lines(self) -> list[str]:
        """Return the status for people."""
        result = [f"{split}: {done} of {count} shards" for split, (done, count) in self.shards.items()]
        result.append(self.report.summary())
        seconds = self.report.seconds
        if self.report.images and seconds.get("all"):
            rate = self.report.images / seconds["all"]
            result.append(f"{rate:.2f} images a second and process, {3600 * rate:,.0f} an hour; of the time:")
            parts = sorted((spent, stage) for stage, spent in seconds.items() if stage != "all")
            result += [f"  {stage:<18}{spent / seconds['all']:7.1%}" for spent, stage in reversed(parts)]
        if self.left and self.recent:
            rest = timedelta(seconds=round(self.left * self.span / self.recent))
            result.append(f"at the last shards' pace, {rest} to go")
        return result


PAUSE = 3  # times the usual distance of finished shards: a longer one is a pause


def status(run: Path) -> Status:
    """Read the status of a run.

    Raises:
        NotFoundError: the folder holds no run.
    """
    plan = run / "run.json"
    if not plan.is_file():
        raise NotFoundError(explain(f"{run} is not the folder of a run", found=f"no file {plan}"))
    folder = RunFolder(run)
    paths = sorted((run / "reports").glob("*.json"))
    shards = {
        split: (sum(path.name.startswith(f"{split}-") for path in paths), count)
        for split, count in folder.shard_counts().items()
    }
    return Status(shards, folder.total(), *_pace([path.stat().st_mtime for path in paths]))


def _pace(times: Sequence[float]) -> tuple[float, int]:
    """Return seconds and number of shards since the last pause."""
    ordered = sorted(times)
    gaps = [after - before for before, after in pairwise(ordered)]
    if not gaps:
        return 0.0, 0
    usual = sorted(gaps)[(len(gaps) - 1) // 2]
    recent: list[float] = []
    for gap in reversed(gaps):
        if gap > PAUSE * usual and recent:
            break
        recent.append(gap)
    return sum(recent), len(recent)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    options = described(__doc__)
    options.add_argument("run", type=Path, metavar="RUN", help="folder of a run")
    arguments = options.parse_args(argv)
    try:
        found = status(arguments.run)
    except ForNetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\n".join(found.lines()))
    return 3 if found.left else 0


if __name__ == "__main__":
    sys.exit(main())
