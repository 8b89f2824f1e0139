#!/usr/bin/env python
"""Say how far a run is: shards, outcomes, the pace of each GPU, and how long it may still take.

    python build/status.py RUN
    python build/status.py RUN --watch 30

RUN is the folder of a run of segment.py, select_versions.py, create_patches.py or import_release.py; it may be
going on. The recent pace is that of the last hour of uninterrupted work. A GPU is silent if nothing has come from it
for 15 minutes, and for three times as long as a shard of it takes.
Exit status: 0 all shards are finished, 3 some are not, 1 an error that a message explains.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from fornet_hf.errors import ForNetError
from producers.views.overview import SILENT, Device, Overview, overview
from producers.work.command import described, positive

REASONS = 5  # that are named
_CLEAR = "\033[H\033[2J"  # of a terminal


def lines(found: Overview) -> list[str]:
    """Return the status for people."""
    result = [f"{split}: {done} of {count} shards" for split, (done, count) in found.shards.items()]
    result += [*_outcomes(found), *_stages(found), *_devices(found), *_running(found)]
    if found.average:
        result.append(f"{found.recent:,.0f} images an hour; {found.average:,.0f} on average while it ran")
    if found.seconds_left is not None and found.ends is not None:
        rest = timedelta(seconds=round(found.seconds_left))
        result.append(f"at the recent pace, {rest} to go: until {found.ends:%a %d %b, %H:%M}")
    return result


def _outcomes(found: Overview) -> list[str]:
    counts, shares = found.report.outcomes(), found.shares()
    said = ", ".join(f"{shares[name]:.1%} {name}" for name in counts)
    reasons = islice(((name, share) for name, share in shares.items() if name not in counts), REASONS)
    return [f"{found.report.images:,} images: {said}", *(f"  {share:7.2%}  {name}" for name, share in reasons)]


def _stages(found: Overview) -> list[str]:
    shares = [f"  {share:7.1%}  {stage}" for stage, share in found.stages().items()]
    return ["of the time:", *shares] if shares else []


def _devices(found: Overview) -> list[str]:
    rows = [
        (one.where or "not said", f"{one.shards}", f"{one.images:,}", f"{one.recent:,.0f}", f"{one.average:,.0f}",
         _last(one, found.now))
        for one in found.devices
    ]  # fmt: skip
    if not rows:
        return []
    table = [("device", "shards", "images", "an hour", "average", "last shard"), *rows]
    widths = [max(len(row[at]) for row in table) for at in range(5)]
    texts = [
        "  ".join([row[0].ljust(widths[0]), *(row[at].rjust(widths[at]) for at in range(1, 5)), row[5]])
        for row in table
    ]
    return ["", *texts, ""]


def _last(one: Device, now: float) -> str:
    said = "none yet" if one.ended is None else _clock(one.ended, now)
    return said if one.silent is None else f"{said}; silent for {_readable(one.silent)}"


def _running(found: Overview) -> list[str]:
    result = []
    for one in found.running:
        said, quiet = f"{one.task}, {one.images:,} of {one.of:,} images, on {one.where}", found.now - one.seen
        if one.ended:
            result.append(f"begun, but its process has ended: {said}")
        else:
            rest = f"; silent for {_readable(quiet)}, perhaps killed" if quiet > SILENT else ""
            result.append(f"running: {said}{rest}")
    return [*result, ""] if result else []


def _clock(when: float, now: float) -> str:
    """Return a time of today as hours and minutes, another one with its day."""
    at, today = datetime.fromtimestamp(when).astimezone(), datetime.fromtimestamp(now).astimezone()
    return f"{at:%H:%M}" if at.date() == today.date() else f"{at:%a %d %b, %H:%M}"


def _readable(seconds: float) -> str:
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    options = described(__doc__)
    options.add_argument("run", type=Path, metavar="RUN", help="folder of a run")
    text = "say it again every so many seconds until all shards are finished"
    options.add_argument("--watch", type=positive, metavar="SECONDS", help=text)
    options.add_argument("--json", action="store_true", help="print a JSON object on one line")
    arguments = options.parse_args(argv)
    try:
        while True:
            found = overview(arguments.run, time.time())
            text = json.dumps(found.to_json()) if arguments.json else "\n".join(lines(found))
            print((_CLEAR if arguments.watch and sys.stdout.isatty() else "") + text, flush=True)
            if not (arguments.watch and found.left):
                return 3 if found.left else 0
            time.sleep(arguments.watch)
    except ForNetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
