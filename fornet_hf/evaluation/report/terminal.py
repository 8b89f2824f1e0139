"""Headlines on a terminal: for each set of data its name, the models' numbers, and their differences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.report.comparison import Comparison
from fornet_hf.evaluation.report.differences import difference_unit, difference_words
from fornet_hf.evaluation.report.headlines import headlines
from fornet_hf.evaluation.report.wording import part_words, wording
from fornet_hf.evaluation.statistics.values import Value

_TOLD = ("seed", "draws", "cells", "resamples")  # settings, where they are not the usual ones


class _Row(NamedTuple):
    measure: str
    part: str
    model: str
    number: str
    interval: str
    value: Value


def lines(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Yield the lines: data and settings, then a line for each headline and model, and for each difference."""
    for number, comparison in enumerate(comparisons):
        if number:
            yield ""
        yield _head(comparison)
        yield from _table("value", list(_numbers(comparison)))
        for other in dict.fromkeys(one.other for one in comparison.differences):
            yield ""
            yield f"difference from {comparison.models[other].model}"
            yield from _table("difference", list(_differences(comparison, other)))


def _head(comparison: Comparison) -> str:
    usual = {name: str(value) for name, value in EvaluationConfig().to_json().items()}
    known = {"seed": str(comparison.seed), **comparison.settings}
    settings = [f"{name} {of}" for name, of in known.items() if name in _TOLD and of not in ("", usual[name])]
    return "; ".join([f"{comparison.data}, {comparison.split}", *settings])


def _numbers(comparison: Comparison) -> Iterator[_Row]:
    for measure, part in headlines(comparison):
        for model, value in zip(comparison.models, comparison.values(measure, part), strict=True):
            if value is not None:
                unit = wording(measure).unit
                yield _Row(measure, part, model.model, unit.full(value.value), unit.interval(value), value)


def _differences(comparison: Comparison, other: int) -> Iterator[_Row]:
    for measure, part in headlines(comparison):
        for one in comparison.differences:
            value = one.value
            if (one.other, value.measure, value.part) == (other, measure, part):
                interval = difference_unit(measure, part).interval(value)
                yield _Row(
                    measure, part, comparison.models[one.model].model, difference_words(value), interval, value
                )


def _table(what: str, rows: Sequence[_Row]) -> Iterator[str]:
    """Yield the rows in columns, and below them why numbers are missing; a measure stands in its first row alone."""
    notes: list[str] = []
    cells = [("measure", "model", what, "95 %", "images", "left out")]
    for row in rows:
        interval, left_out = row.interval, sum(row.value.left_out.values())
        if row.value.value is None and row.value.note:
            notes += [] if row.value.note in notes else [row.value.note]
            interval = f"({notes.index(row.value.note) + 1})"
        name = ", ".join(filter(None, [wording(row.measure).title, part_words(row.part)]))
        images, number = f"{row.value.n:,}", row.number.replace("\u00a0", " ")
        cells.append((name, row.model, number, interval, images, f"{left_out:,}" if left_out else ""))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    last = ""
    for name, *others in cells:
        yield "  ".join(map(str.ljust, ["" if name == last else name, *others], widths)).rstrip()
        last = name
    yield from (f"({number}) {note}" for number, note in enumerate(notes, 1))
