"""The outcome of the experiment: what each kind of training left of each bias."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outcomes.interval import written

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


def values(runs: Sequence[Run], planted: str, arm: str, measure: str) -> list[float | None]:
    """Return a measure of all networks of one kind, one for each seed."""
    return [run.values[measure] for run in runs if (run.planted, run.arm) == (planted, arm)]


def table(runs: Sequence[Run]) -> str:
    """Return the table in Markdown."""
    lines = [f"| planted | trained on | {' | '.join(MEASURES)} |", f"|---|---|{'---|' * len(MEASURES)}"]
    for planted in planted_in(runs):
        for arm in ARMS:
            cells = (written(values(runs, planted, arm, measure)) for measure in MEASURES)
            lines.append(f"| {planted} | {arm} | {' | '.join(cells)} |")
    return "\n".join(lines)
