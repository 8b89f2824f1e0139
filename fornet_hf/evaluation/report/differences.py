"""Differences of models: each model's headlines less another's, with the paired interval of the difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fornet_hf.evaluation.report.comparison import Comparison
from fornet_hf.evaluation.report.frame import model_name, section
from fornet_hf.evaluation.report.headlines import headlines
from fornet_hf.evaluation.report.html import Markup, element
from fornet_hf.evaluation.report.numbers import PERCENT, POINTS, Unit
from fornet_hf.evaluation.report.remarks import left_out_words
from fornet_hf.evaluation.report.wording import part_words, wording
from fornet_hf.evaluation.statistics.values import Value


def differences(comparison: Comparison) -> Markup | None:
    """Return the section: a table of the headlines for each model that others are compared with."""
    others = dict.fromkeys(one.other for one in comparison.differences)
    if not others:
        return None
    words = (
        "On the images that both models were measured on, resampled together: what makes an image hard for both "
        "cancels. Bold: 0 is not in the 95 % interval."
    )
    tables = [_table(comparison, other, headlines(comparison)) for other in others]
    return section("Differences", "differences", element("p", words, class_="lead"), tables)


def difference_unit(measure: str, part: str) -> Unit:
    """Return the unit of a difference: of shares it is points."""
    unit = wording(measure).unit_of(part)
    return POINTS if unit is PERCENT else unit


def difference_words(value: Value) -> str:
    """Return a difference as people read it, with its sign."""
    written = difference_unit(value.measure, value.part).full(value.value)
    return f"+{written}" if value.value is not None and value.value > 0 else written


def certain(value: Value) -> bool:
    """Return whether the interval tells two models apart."""
    return value.low is not None and value.high is not None and not value.low <= 0 <= value.high


def _table(comparison: Comparison, other: int, shown: Sequence[tuple[str, str]]) -> list[Markup]:
    found: dict[int, dict[tuple[str, str], Value]] = {}
    for one in comparison.differences:
        if one.other == other:
            found.setdefault(one.model, {})[one.value.measure, one.value.part] = one.value
    rows = [
        element(
            "tr",
            element("th", ", ".join(filter(None, (wording(measure).title, part_words(part)))), scope="row"),
            [_cell(of, (measure, part)) for of in found.values()],
        )
        for measure, part in shown
        if any((measure, part) in of for of in found.values())
    ]
    heads = [element("th", model_name(number, comparison.models[number].model), scope="col") for number in found]
    name = comparison.models[other].model
    head = element("thead", element("tr", element("th", "Measure", scope="col"), heads))
    table = element("table", head, element("tbody", rows), class_="long")
    return [
        element("h3", "Difference from ", model_name(other, name)),
        element("div", table, class_="scroll", tabindex=0, role="region", aria_label=f"Differences from {name}"),
    ]


def _cell(of: Mapping[tuple[str, str], Value], name: tuple[str, str]) -> Markup:
    if name not in of:
        return element("td", "—")
    value = of[name]
    interval, words = difference_unit(*name).interval(value), difference_words(value)
    remark = "; ".join(filter(None, (f"{value.n:,} images", left_out_words(value), value.note)))
    number = element("b" if certain(value) else "span", words)
    return element("td", number, element("small", f" {interval}") if interval else None, title=remark)
