"""The outcome of a comparison: what each way of tuning does to accuracy and to the gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from backgrounds.plan import BASE
from fornet_hf.evaluation.data.names import OFFICIAL
from outcomes.dots import Dots, Group, Row
from outcomes.interval import written

GAP, CHALLENGE = "bg_gap", "challenge"
MEASURES = {**{f"accuracy {variant}": variant for variant in OFFICIAL}, GAP: "BG-GAP", CHALLENGE: "challenge"}
"""Columns of a row of results, and their names for people."""
_PANELS = {
    "accuracy original": "accuracy, originals",
    "accuracy mixed_rand": "accuracy, mixed_rand",
    GAP: "BG-GAP",
    CHALLENGE: "challenge",
}
_INKS = ("#555555", "#e69f00", "#cc79a7", "#0072b2", "#009e73", "#d55e00", "#56b4e9")


@dataclass(frozen=True)
class Run:
    """Values that were measured of one network, by the columns of `MEASURES`; and how many parameters it trained."""

    arm: str
    seed: int
    parameters: int
    values: Mapping[str, float | None]


def table(runs: Sequence[Run]) -> str:
    """Return two tables in Markdown: the measures of each arm, and what became of the base's, seed by seed."""
    return f"{_table(runs, MEASURES)}\n\n{_changes(runs)}"


def figure(runs: Sequence[Run]) -> Image.Image:
    """Draw a point for each network, in a panel for each of four measures."""
    groups = [
        Group(
            label=arm, rows=[Row(ink=ink, values={title: _values(runs, arm, one) for one, title in _PANELS.items()})]
        )
        for arm, ink in zip(arms(runs), _INKS * len(runs), strict=False)
    ]
    panels = {title: (0.0, "no bias") if column == GAP else None for column, title in _PANELS.items()}
    return Dots(panels=panels, groups=groups, left=90, panel=215).drawn()


def arms(runs: Sequence[Run]) -> list[str]:
    """Return the arms, in their order."""
    return list(dict.fromkeys(run.arm for run in runs))


def _values(runs: Sequence[Run], arm: str, column: str) -> list[float | None]:
    return [run.values[column] for run in runs if run.arm == arm]


def _table(runs: Sequence[Run], measures: Mapping[str, str]) -> str:
    lines = [f"| | trained | {' | '.join(measures.values())} |", f"|---|---|{'---|' * len(measures)}"]
    for arm in arms(runs):
        count = next(run.parameters for run in runs if run.arm == arm)
        cells = [written(_values(runs, arm, column)) for column in measures]
        lines.append(f"| {arm} | {count:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _changes(runs: Sequence[Run]) -> str:
    """Return the table of each arm less the base of the same seed."""
    base = {run.seed: run.values for run in runs if run.arm == BASE}
    lines = [f"| less the base | {' | '.join(MEASURES[one] for one in _PANELS)} |", f"|---|{'---|' * len(_PANELS)}"]
    for arm in arms(runs)[1:]:
        own = [run for run in runs if run.arm == arm]
        cells = [written([_less(run.values[one], base[run.seed][one]) for run in own]) for one in _PANELS]
        lines.append(f"| {arm} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _less(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other
