"""Headlines: the number of each measure that stands for all of it, on the page and on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from fornet_hf.evaluation.report.comparison import Comparison
from fornet_hf.evaluation.report.wording import METHODS

_HEADLINES = (
    "accuracy", "background_robustness", "centre_bias", "size_bias", "foreground_focus",
    "relative_foreground_sensitivity", "bg_gap", "challenge",
)  # fmt: skip


def headlines(comparison: Comparison) -> list[tuple[str, str]]:
    """Return measure and part of each column: the measure itself, or the one part that stands for it."""
    chosen = []
    for measure in _HEADLINES:
        parts = [part for part in comparison.whole_parts(measure) if not _behind(measure, part)]
        if measure == "foreground_focus":
            chosen += [(measure, part) for part in parts if part in METHODS]
        elif parts:
            chosen.append((measure, _headline(measure, parts)))
    return chosen


def _behind(measure: str, part: str) -> bool:
    """Return whether an accuracy is there for the sake of another measure."""
    return measure == "accuracy" and part.startswith(("cell ", "size ", "noise "))


def _headline(measure: str, parts: Sequence[str]) -> str:
    if "" in parts:
        return ""
    if measure == "size_bias":  # the smallest objects are the hardest
        return min(parts, key=lambda part: (len(part.split()) < 2, _amount(part)))
    return "original" if "original" in parts else parts[0]


def _amount(part: str) -> float:
    try:
        return float(part.rpartition(" ")[2])
    except ValueError:
        return float("inf")
