"""The outcome of the experiment: what each kind of training left of each bias."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

BIASES = ("background", "position", "size")
ARMS = {"images as they are": False, "ForNet": True}
"""The two kinds of training, and whether they recombine."""
MEASURES = {
    "accuracy": ("accuracy", "original"),
    "background robustness": ("background_robustness", ""),
    "centre bias": ("centre_bias", "means"),
    "size bias, a quarter of the area": ("size_bias", "size 0.25"),
}
"""Names of the measures for people; measure and part in results."""
IDEAL = {"background robustness": 1.0, "centre bias": 0.0, "size bias, a quarter of the area": 1.0}
_T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
"""Student's t for an interval of 95 %, by the number of seeds."""


@dataclass(frozen=True)
class Run:
    """Values that were measured of one network, by their names for people; None where not defined."""

    planted: str
    arm: str
    seed: int
    values: Mapping[str, float | None]


def planted_in(runs: Sequence[Run]) -> list[str]:
    """Return the biases that were planted, in the order of the table."""
    return [planted for planted in BIASES if any(run.planted == planted for run in runs)]


def summary(runs: Sequence[Run], planted: str, arm: str, measure: str) -> tuple[float, float] | None:
    """Return the mean over the seeds and half its interval of 95 % (Student's t); None where one is not defined."""
    values = [run.values[measure] for run in runs if (run.planted, run.arm) == (planted, arm)]
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    half = _T.get(len(known), 1.96) * stdev(known) / math.sqrt(len(known)) if len(known) > 1 else math.nan
    return fmean(known), half


def table(runs: Sequence[Run]) -> str:
    """Return the table in Markdown."""
    lines = [f"| planted | trained on | {' | '.join(MEASURES)} |", f"|---|---|{'---|' * len(MEASURES)}"]
    for planted in planted_in(runs):
        for arm in ARMS:
            cells = (summary(runs, planted, arm, measure) for measure in MEASURES)
            texts = ["not defined" if cell is None else f"{cell[0]:.2f} ± {cell[1]:.2f}" for cell in cells]
            lines.append(f"| {planted} | {arm} | {' | '.join(texts)} |")
    return "\n".join(lines)
