"""What ImageNet costs: computed from what photographs cost in benchmarks/results, and how."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

IMAGES = 1_281_167 + 50_000
DOWNLOAD = (
    150e9  # bytes of ILSVRC/imagenet-1k's shards of both splits; the Hub shows them, nothing here measures them
)
CORES = (4, 16, 64)


_TABLE = """| | ImageNet in folders | ImageNet from the Hub |
|---|---|---|
| download | patches, {patches} GB | patches, and {imagenet:.0f} GB of ImageNet |
| disk, downloads | {patches} GB | {both} GB |
| disk, prepared rows | {rows:.0f} GB | {rows:.0f} GB |

| cores (`MAX_WORKERS`) | {cores} |
|---|{line}
| preparing | {times} |

We did not run ImageNet for this table. It multiplies {images:,} images by the cost of one of
[eight photographs](benchmarks.md) of {width} x {height} pixels ({source:.0f} kB):

- a patch: {low:.1f} kB where the infilling is smooth, {high:.1f} kB where it has the texture of another photograph;
- a prepared row: {row:.0f} kB;
- preparing a row: {ms:.1f} ms on a core, which is ({long} s - {short} s on cores) / ({many:,} - {few:,} rows); the
  start does not count. The table divides this time by the cores, as if disk and network kept up.

ImageNet's own files average {mean:.0f} kB, so decoding them takes longer. Rows do not grow, because ForNet first
shrinks images that are longer than 512 pixels."""


def costs_table(root: Path) -> str:
    """Return the table, and the way of computing it."""
    prepare, patches = (
        json.loads((root / "benchmarks" / "results" / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("prepare", "patches")
    )
    low, high = sorted(case["bytes_a_picture"]["patch"] for case in patches["infilling"].values())
    few, many = two_sizes(prepare)
    milliseconds = ms_a_row(few, many)
    sizes = [[(more + IMAGES * size) / 1e9 for size in (low, high)] for more in (0, DOWNLOAD)]
    only, both = (f"{small:.0f} to {large:.0f}" for small, large in sizes)
    return _TABLE.format(
        patches=only,
        both=both,
        imagenet=DOWNLOAD / 1e9,
        rows=IMAGES * many["prepared_bytes_a_row"] / 1e9,
        cores=" | ".join(map(str, CORES)),
        line="---|" * len(CORES),
        times=" | ".join(duration(IMAGES * milliseconds / cores / 60_000) for cores in CORES),
        images=IMAGES,
        width=prepare["size"][0],
        height=prepare["size"][1],
        source=many["source_bytes_a_row"] / 1e3,
        low=low / 1e3,
        high=high / 1e3,
        row=many["prepared_bytes_a_row"] / 1e3,
        ms=milliseconds,
        long=many["seconds_on_core"],
        short=few["seconds_on_core"],
        many=many["rows"],
        few=few["rows"],
        mean=DOWNLOAD / IMAGES / 1e3,
    )


def two_sizes(prepare: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the runs with the fewest and with the most rows among those with the most processes."""
    workers = max(run["workers"] for run in prepare["runs"])
    runs = sorted((run for run in prepare["runs"] if run["workers"] == workers), key=lambda run: run["rows"])
    return runs[0], runs[-1]


def ms_a_row(few: Mapping[str, Any], many: Mapping[str, Any]) -> float:
    """Return what another row costs on one core, in milliseconds, from runs of two sizes."""
    seconds: float = many["seconds_on_core"] - few["seconds_on_core"]
    return 1000 * seconds / (many["rows"] - few["rows"])


def duration(minutes: float) -> str:
    """Return a time in minutes for people."""
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"
