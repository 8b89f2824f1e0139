#!/usr/bin/env python
"""How long it takes to find where a foreground came from: at all positions at once, and one position after another.

    python benchmarks/offsets.py [--exhaustive 2] [--images 40]

Cut-outs of photographs scaled to 500 x 375, as lossy WEBP of quality 75, on one core. The exhaustive search adds up
the squared differences at every position, as the public tool does; it is run on a few images only, and on
every 50th row of positions, from which its time is scaled up.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "build")]

from demo_pictures import demo_pictures  # noqa: E402 - lies in build/
from producers.devices.opencv import load_cv2  # noqa: E402
from producers.scene import Raster  # noqa: E402
from producers.tasks.offsets import CutOut, find_offset  # noqa: E402
from producers.work.command import positive  # noqa: E402

SIZE = (500, 375)
_EVERY = 50


class Case(NamedTuple):
    """A photograph (uint8, height x width x 3), a cut-out of it, and the x and y at which it was cut out."""

    raster: Raster
    cut_out: CutOut
    offset: tuple[int, int]


def cases(count: int) -> list[Case]:
    """Cut discs out of the demo's photographs."""
    rng = np.random.default_rng(0)
    rasters = [np.asarray(one.image.convert("RGB").resize(SIZE)) for one in demo_pictures()]
    return [_case(rasters[index % len(rasters)], rng) for index in range(count)]


def _case(raster: Raster, rng: np.random.Generator) -> Case:
    wide, high = (int(side * rng.uniform(0.3, 0.7)) for side in SIZE)
    x, y = int(rng.integers(0, SIZE[0] - wide + 1)), int(rng.integers(0, SIZE[1] - high + 1))
    rows, columns = np.ogrid[-1 : 1 : high * 1j, -1 : 1 : wide * 1j]
    mask = rows**2 + columns**2 <= 1
    cut = np.dstack([raster[y : y + high, x : x + wide], mask * np.uint8(255)])
    buffer = io.BytesIO()
    Image.fromarray(cut).save(buffer, "WEBP", quality=75)
    return Case(raster, CutOut.decode(buffer.getvalue()), (x, y))


def exhaustive_seconds(raster: Raster, cut_out: CutOut) -> float:
    """Time of a search position by position, measured on a part of the rows."""
    mask, colours = cut_out.mask, cut_out.colours
    high, wide = mask.shape
    rows = range(0, raster.shape[0] - high + 1, _EVERY)
    wanted = colours[mask].astype(np.int64)
    start = time.perf_counter()
    for y in rows:
        for x in range(raster.shape[1] - wide + 1):
            int(((raster[y : y + high, x : x + wide][mask] - wanted) ** 2).sum())
    return (time.perf_counter() - start) * (raster.shape[0] - high + 1) / len(rows)


def main(argv: Sequence[str] | None = None) -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--images", "--pictures", type=positive, default=40)
    text = "images that are searched position by position"
    options.add_argument("--exhaustive", type=positive, default=2, help=text)
    arguments = options.parse_args(argv)
    load_cv2().setNumThreads(1)
    tried = cases(arguments.images)
    find_offset(*tried[0][:2])  # the first call loads OpenCV's tables
    start = time.perf_counter()
    found = [find_offset(case.raster, case.cut_out) for case in tried]
    each = (time.perf_counter() - start) / len(tried)
    right = sum(match.offset == case.offset for match, case in zip(found, tried, strict=True))
    errors, doubted = [match.error for match in found], sum(match.fault() is not None for match in found)
    print(f"at once:      {1000 * each:8.1f} ms an image, {right} of {len(tried)} right, {doubted} not trusted")
    print(f"              differences of {min(errors):.1f} to {max(errors):.1f} levels")
    slow = [exhaustive_seconds(case.raster, case.cut_out) for case in tried[: arguments.exhaustive]]
    mean = sum(slow) / len(slow)
    print(f"exhaustive:   {1000 * mean:8.1f} ms an image, {mean / each:,.0f} times as long")


if __name__ == "__main__":
    main()
