"""The summary: a row for each model, a column for each headline, the best marked where intervals allow it."""

from __future__ import annotations

from collections.abc import Sequence

from fornet_hf.evaluation.report.comparison import Comparison, best
from fornet_hf.evaluation.report.frame import model_name
from fornet_hf.evaluation.report.headlines import headlines
from fornet_hf.evaluation.report.html import Markup, Node, element
from fornet_hf.evaluation.report.numbers import POINTS, Unit
from fornet_hf.evaluation.report.plots.whisker import whisker
from fornet_hf.evaluation.report.wording import Wording, part_words, wording
from fornet_hf.evaluation.statistics.values import Value


def summary(comparison: Comparison) -> Markup:
    """Return the table; on a phone, each model becomes a card."""
    columns = headlines(comparison)
    heads = [_head(measure, part) for measure, part in columns]
    head = element("tr", element("th", "Model", scope="col", role="columnheader"), heads, role="row")
    values = [comparison.values(*column) for column in columns]
    winners = [best(of, wording(column[0]).ideal) for of, column in zip(values, columns, strict=True)]
    rows = []
    for number, model in enumerate(comparison.models):
        name = element("th", model_name(number, model.model), scope="row", role="rowheader")
        cells = [
            _cell(wording(measure), part, of, number, won=winner == number)
            for (measure, part), of, winner in zip(columns, values, winners, strict=True)
        ]
        rows.append(element("tr", name, cells, role="row"))
    caption = element("caption", "95 % intervals below each number.", _legend(winners))
    table = element(
        "table", caption, element("thead", head, role="rowgroup"), element("tbody", rows, role="rowgroup"),
        class_="summary", role="table",
    )  # fmt: skip
    return element("div", table, class_="scroll", tabindex=0, role="region", aria_label="Summary")


def _head(measure: str, part: str) -> Markup:
    words = wording(measure)
    lines: list[Node] = [words.title]
    if part:
        lines.append(element("small", part_words(part)))
    if words.unit is POINTS:
        lines.append(element("small", "points"))
    lines.append(element("small", words.aim, class_="aim"))
    return element("th", lines, scope="col", role="columnheader")


def _cell(words: Wording, part: str, of: Sequence[Value | None], number: int, *, won: bool) -> Markup:
    value, title = of[number], f"{words.title}{part and ', '}{part_words(part)}"
    if value is None or value.value is None:
        missing = "not measured" if value is None else words.unit.full(None)
        return element(
            "td",
            element("span", missing, class_="faint", title=(value.note or None) if value else None),
            data_label=title,
            role="cell",
        )
    ends = [end for one in of if one for end in (one.low, one.high, one.value) if end is not None]
    ideal = words.ideal if words.ideal in (0, 1) and min(ends) - 0.5 <= words.ideal <= max(ends) + 0.5 else None
    scale = ends if ideal is None else [*ends, ideal]
    star = element("span", "★", class_="best", title="the best, by its interval", aria_label="best") if won else None
    number_words = element("span", _short(words.unit, value.value), star, class_="value")
    interval = element("small", words.unit.interval(value))
    drawn = whisker(value, min(scale), max(scale), series=number, ideal=ideal)
    return element("td", number_words, interval, drawn, data_label=title, role="cell")


def _short(unit: Unit, number: float) -> str:
    """Return a number for a narrow column, whose heading has the unit if it is a long one."""
    return unit.bare(number) if unit is POINTS else unit.full(number)


def _legend(winners: Sequence[int | None]) -> Node:
    if all(winner is None for winner in winners):
        return None
    return " ★: better than all others, intervals not overlapping."
