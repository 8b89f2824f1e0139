"""Tables that are folded away: every number, and those of single classes."""

from __future__ import annotations

from collections.abc import Iterable

from fornet_hf.evaluation.report.comparison import Comparison
from fornet_hf.evaluation.report.frame import model_name
from fornet_hf.evaluation.report.html import Markup, Node, breakable, element
from fornet_hf.evaluation.report.numbers import Unit
from fornet_hf.evaluation.report.remarks import left_out_words
from fornet_hf.evaluation.report.wording import of_class, part_words, wording
from fornet_hf.evaluation.statistics.values import Value


def by_class(comparison: Comparison) -> list[Markup]:
    """Return a table for each measure and condition that has values of single classes."""
    groups: dict[tuple[str, str, str], dict[str, str]] = {}
    for measure in comparison.measures:
        for part in comparison.parts(measure):
            if found := of_class(measure, part):
                condition, kind, name = found
                groups.setdefault((measure, condition, kind), {})[name] = part
    return [_classes(comparison, measure, words, parts) for (measure, *words), parts in groups.items()]


def _classes(comparison: Comparison, measure: str, words: list[str], parts: dict[str, str]) -> Markup:
    title = f"{wording(measure).title} by {words[1]}{words[0] and ', '}{words[0]}"
    unit = wording(measure).unit
    heads: list[Node] = [words[1].capitalize()]
    heads += [[model_name(number, model.model)] for number, model in enumerate(comparison.models)]
    heads.append("Images")
    rows = []
    for name, part in parts.items():
        values = comparison.values(measure, part)
        n = max((value.n for value in values if value is not None), default=0)
        cells = [_number(value, unit) for value in values]
        rows.append(element("tr", element("th", name, scope="row"), cells, element("td", f"{n:,}", data_value=n)))
    return _folded(f"{title} ({len(parts):,})", heads, rows)


def everything(comparison: Comparison) -> Markup:
    """Return all values but those of single classes: what the plots show, in numbers."""
    heads = ("Measure", "Part", "Model", "Value", "95 % interval", "Error", "Images", "Left out, notes")
    rows = [
        _row(model.model, value)
        for measure in comparison.measures
        for part in comparison.whole_parts(measure)
        for model in comparison.models
        if (value := model.get(measure, part))
    ]
    return _folded(f"All numbers of whole sets ({len(rows):,})", heads, rows)


def _row(model: str, value: Value) -> Markup:
    words = wording(value.measure)
    unit, remark = words.unit_of(value.part), "; ".join(filter(None, (left_out_words(value), value.note)))
    return element(
        "tr",
        element("th", words.title, scope="row"),
        element("td", part_words(value.part)),
        element("td", breakable(model), class_="words"),
        element("td", unit.full(value.value), data_value=_sortable(value.value)),
        element("td", unit.interval(value), data_value=_sortable(value.low)),
        element("td", "" if value.error is None else unit.bare(value.error), data_value=_sortable(value.error)),
        element("td", f"{value.n:,}", data_value=value.n),
        element("td", remark, class_="words"),
    )


def _number(value: Value | None, unit: Unit) -> Markup:
    if value is None or value.value is None:
        return element("td", "—" if value is None else unit.full(None), data_value="")
    interval = unit.interval(value)
    return element(
        "td",
        unit.full(value.value),
        element("small", f" {interval}") if interval else None,
        data_value=_sortable(value.value),
    )


def _sortable(number: float | None) -> str:
    return "" if number is None else f"{number:.6g}"


def _folded(title: str, heads: Iterable[Node], rows: Iterable[Markup]) -> Markup:
    """Return a table that opens at a click; its columns can be sorted where scripts run."""
    head = element("tr", (element("th", element("button", words, type="button"), scope="col") for words in heads))
    table = element("table", element("thead", head), element("tbody", rows), class_="long")
    body = element("div", table, class_="scroll", tabindex=0, role="region", aria_label=title)
    return element("details", element("summary", title), body)
