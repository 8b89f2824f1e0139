"""Headlines on a terminal: for each set of data its name, the models' numbers, and their differences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.report.comparison import Comparison
from fornet_hf.evaluation.report.differences import difference_unit, difference_words
from fornet_hf.evaluation.report.headlines import headlines
from fornet_hf.evaluation.report.wording import part_words, wording
from fornet_hf.evaluation.statistics.values import Value

Row = tuple[str, ...]

_TOLD = ("seed", "draws", "cells", "resamples")  # settings, where they are not the usual ones


def lines(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Yield the lines: data and settings, then a line for each headline and model, and for each difference."""
    for number, comparison in enumerate(comparisons):
        if number:
            yield ""
        yield _head(comparison)
        yield from _table([("measure", "model", "value", "95 %", "images", "left out"), *_numbers(comparison)])
        for other in dict.fromkeys(one.other for one in comparison.differences):
            yield ""
            yield f"less {comparison.models[other].model}"
            rows = _differences(comparison, other)
            yield from _table([("measure", "model", "difference", "95 %", "images", "left out"), *rows])


def _head(comparison: Comparison) -> str:
    usual = {name: str(value) for name, value in EvaluationConfig().to_json().items()}
    known = {"seed": str(comparison.seed), **comparison.settings}
    settings = [f"{name} {of}" for name, of in known.items() if name in _TOLD and of not in ("", usual[name])]
    return "; ".join([f"{comparison.data}, {comparison.split}", *settings])


def _numbers(comparison: Comparison) -> Iterator[Row]:
    for measure, part in headlines(comparison):
        for model, value in zip(comparison.models, comparison.values(measure, part), strict=True):
            if value is not None:
                unit = wording(measure).unit
                yield _row(measure, part, model.model, value, unit.full(value.value), unit.interval(value))


def _differences(comparison: Comparison, other: int) -> Iterator[Row]:
    for measure, part in headlines(comparison):
        for one in comparison.differences:
            if (one.other, one.value.measure, one.value.part) == (other, measure, part):
                interval = difference_unit(measure, part).interval(one.value)
                model = comparison.models[one.model].model
                yield _row(measure, part, model, one.value, difference_words(one.value), interval)


def _row(measure: str, part: str, model: str, value: Value, number: str, interval: str) -> Row:
    name = ", ".join(filter(None, [wording(measure).title, part_words(part)]))
    note = f"({value.note.partition(';')[0]})" if value.value is None else interval
    left_out = sum(value.left_out.values())
    return name, model, number.replace("\u00a0", " "), note, f"{value.n:,}", f"{left_out:,}" if left_out else ""


def _table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the rows in columns; a name stands in its first row alone."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    last = ""
    for row in rows:
        shown = ("" if row[0] == last else row[0], *row[1:])
        last = row[0]
        yield "  ".join(map(str.ljust, shown, widths)).rstrip()
