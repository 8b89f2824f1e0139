"""Figures that pages state in their text, kept equal to benchmarks/results."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ENTRIES = 1_270_000  # of ImageNet's training images in a zip, roughly
_WAYS = ("pixels", "jpeg")
Stated = Sequence[tuple[str, Sequence[str]]]
"""Patterns, and what stands in place of their groups."""


def with_figures(page: str, stated: Stated) -> str:
    """Return a page with its figures anew.

    Raises:
        LookupError: the page does not state one of them.
    """
    for pattern, values in stated:
        match = re.search(pattern, page)
        if match is None:
            raise LookupError(f"no figure like {pattern!r}: change it here, too")
        for group in range(len(values), 0, -1):
            page = page[: match.start(group)] + values[group - 1] + page[match.end(group) :]
    return page


def of_scale(root: Path) -> Stated:
    """The figures of docs/scale.md."""
    result = _result(root, "reading")
    storage, stream, index = result["storage"], result["streaming"], result["zip_index"]
    row, recombined = result["bytes_of_a_row"], storage["arrow, recombined"]
    whole = row["foreground"] + row["mask"] + row["background"]
    one, three = stream["rank 0 of 1"], stream["rank 0 of 3"]
    kb = [f"{size / 1e3:.0f}" for size in (whole, row["background"], row["original"])]
    return [
        (r"Arrow, (\d+) kB a row in the demo", kb[:1]),
        (r"In the demo that is (\d+) kB\s+and (\d+) kB; the image itself has (\d+) kB", kb),
        (r"Where that is set\s+to (\d+) kB", [f"{result['read_ahead_kb']}"]),
        (r"a random sample cost ([\d.]+) MB", [f"{recombined['bytes_a_sample'] / 1e6:.1f}"]),
        (
            r"kernel fetched (\d+) kB",
            [f"{storage['arrow, recombined, no read-ahead']['bytes_a_sample'] / 1e3:.0f}"],
        ),
        (
            r"so (\d+) MB of that file's ([\d.]+) GB",
            [f"{recombined['bytes_to_open'] / 1e6:.0f}", f"{result['rows'] * whole / 1e9:.1f}"],
        ),
        (r"\| requests a row \| ([\d.]+)", [f"{one['requests_a_row']:.2f}"]),
        (
            r"\| bytes a row \| (\d+) kB: source image (\d+) kB, patch (\d+) kB",
            [
                f"{size / 1e3:.0f}"
                for size in (one["bytes_a_row"], stream["source_bytes_a_row"], stream["patch_bytes_a_row"])
            ],
        ),
        (r"away\*\*: (\d+) kB a row", [f"{three['bytes_a_row'] / 1e3:.0f}"]),
        (r"\| bytes read to open \| (\d+) \|", [f"{index['bytes_an_entry']:.0f}"]),
        (r"\| memory of the process \| (\d+) bytes", [f"{round(index['memory_an_entry'], -1):.0f}"]),
        (
            r"two zips\): (\d+) MB to read and ([\d.]+) GB",
            [
                f"{2 * ENTRIES * index['bytes_an_entry'] / 1e6:.0f}",
                f"{2 * ENTRIES * index['memory_an_entry'] / 1e9:.1f}",
            ],
        ),
    ]


def of_device(root: Path) -> Stated:
    """The figures of docs/device.md."""
    bytes_ = _result(root, "device")["bytes_an_image"]
    fused = _result(root, "recombination")["one_core"]["milliseconds_per_image"]["fused"]["on_core_median_ms"]
    steps = {row["network"]: row["alone_ms"] for row in _result(root, "device_h100")["training"]}
    speeds = [256_000 / steps[network] for network in ("ResNet-50", "ViT-S/16")]
    return [
        (r"One core makes (\d+) of them", [f"{1000 / fused:.0f}"]),
        (r"ResNet-50 on ([\d,]+) a second\s+and ViT-S/16 on ([\d,]+) ", [f"{speed:,.0f}" for speed in speeds]),
        (r"an image \| ([\d.]+) ms \| ([\d.]+) ms \| ([\d.]+) ms \|", _in_workers(root, "CPU", *_WAYS)),
        (r"as floats \| (\d+) kB \| (\d+) kB \|", [f"{bytes_[way] / 1e3:.0f}" for way in _WAYS]),
    ]


def _in_workers(root: Path, *sides: str) -> list[str]:
    """Return the milliseconds on a core that one worker needs for an image."""
    rows = {row["side"]: row for row in _result(root, "device")["end_to_end"] if row["workers"] == 1}
    return [f"{rows[side]['cpu_ms_an_image'] - rows[side]['cpu_ms_an_image_in_main']:.2f}" for side in sides]


def of_readme(root: Path) -> Stated:
    """The figures of README.md."""
    cases = [case["bytes_a_picture"] for case in _result(root, "patches")["infilling"].values()]
    times = sorted(case["old_patch"] / case["patch"] for case in cases)
    compared = _result(root, "recombination")["one_core"]["times_as_fast"]["fused / plain JPEG"]
    return [
        (r"(\d+) to (\d+) times smaller", [f"{factor:.0f}" for factor in times]),
        (r"need ([\d.]+) ms an image on a core instead of\s+([\d.]+) ms", _in_workers(root, "jpeg", "CPU")),
        (r"([\d.]+) times as long as a plain JPEG", [f"{1 / compared['on_core_median_ms']:.2f}"]),
    ]


def _result(root: Path, name: str) -> Any:
    return json.loads((root / "benchmarks" / "results" / f"{name}.json").read_text(encoding="utf-8"))
