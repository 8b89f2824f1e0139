"""Sections of the page, one for each kind of measure; a section without values is left away."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fornet_hf.evaluation.report.comparison import Comparison, Measured
from fornet_hf.evaluation.report.frame import glossary, lead, legend, panel, panels, section
from fornet_hf.evaluation.report.html import Markup, element
from fornet_hf.evaluation.report.plots.bars import Bar, Gap, bars
from fornet_hf.evaluation.report.plots.heat import colour_scale, heat_map
from fornet_hf.evaluation.report.plots.lines import Curve, lines
from fornet_hf.evaluation.report.plots.stacked import stacked
from fornet_hf.evaluation.report.remarks import remarks
from fornet_hf.evaluation.report.wording import METHODS, part_words, wording

BACKGROUNDS = ("original", "orig", "same", "all")
CELLS = tuple(f"cell {number}" for number in range(9))
VARIANTS = (
    "original", "only_fg", "mixed_same", "mixed_rand", "mixed_next", "no_fg", "only_bg_b", "only_bg_t",
    "mixed_same_i", "mixed_rand_i", "mixed_next_i", "only_bg_i",
)  # fmt: skip
CATEGORIES = ("BG Irrelevant", "BG Required", "BG+FG Required", "BG Fools", "BG+FG Fools")
_CHANCE = 1 / 9  # of ImageNet-9's classes
_NARROWEST = 0.1  # range of a scale of colours: smaller differences are not to look large
_AMOUNT = re.compile(r"(?P<kind>\w[\w ]*?) (?P<amount>\d+(\.\d+)?)")


def backgrounds(comparison: Comparison) -> Markup | None:
    """Show accuracy by background, and the robustness that follows from it."""
    robustness = "background_robustness"
    if robustness not in comparison.measures and not {*BACKGROUNDS[1:]} & {*comparison.parts("accuracy")}:
        return None
    accuracies = BACKGROUNDS if {*BACKGROUNDS} & {*comparison.parts("accuracy")} else ()
    shown = (
        _bar_panels(comparison, "accuracy", BACKGROUNDS, beside=robustness)
        if accuracies
        else _bar_panels(comparison, robustness, ("accuracy same", "accuracy all"), beside=robustness)
    )
    notes = remarks(comparison, {"accuracy": accuracies, robustness: None})
    return section("Background", "background", lead(robustness), panels(shown), glossary(BACKGROUNDS), notes)


def cells(comparison: Comparison) -> Markup | None:
    """Show accuracy by the object's place as heat maps with one scale."""
    measure = comparison.holding("cell 4", "accuracy", "centre_bias")
    if measure is None and "centre_bias" not in comparison.measures:
        return None
    measure = measure or "accuracy"
    unit = wording("accuracy").unit
    values = [value for part in CELLS for value in comparison.values(measure, part)]
    low, high = _scale([value.value for value in values if value and value.value is not None])
    shown = []
    for number, model in enumerate(comparison.models):
        drawn = heat_map(
            f"Accuracy by cell: {model.model}", [model.get(measure, part) for part in CELLS], unit, low, high
        )
        shown.append(panel(number, model.model, drawn, aside(model, "centre_bias")))
    scale = element(
        "div",
        element("p", "Accuracy, %, with 95 % intervals; one scale for all models"),
        colour_scale(unit, low, high),
        class_="scale",
    )
    notes = remarks(comparison, {measure: CELLS, "centre_bias": None})
    return section("Place of the object", "place", lead("centre_bias"), scale, panels(shown), notes)


def sizes(comparison: Comparison) -> Markup | None:
    """Show accuracy, and size bias, by the object's size as curves."""
    shown = ["accuracy", "size_bias"]
    if "size_bias" not in comparison.measures:
        return None
    drawn = [
        _curves(comparison, measure, "size", "factor on the object's area", wording(measure).title)
        for measure in shown
    ]
    parts = [part for measure in shown for part in comparison.parts(measure) if part.startswith("size ")]
    notes = remarks(comparison, {"accuracy": parts, "size_bias": None})
    return section("Size of the object", "size", lead("size_bias"), legend(comparison), panels(drawn), notes)


def sensitivity(comparison: Comparison) -> Markup | None:
    """Show the sensitivity to noise on the object against that to noise on the background, by its amount."""
    measure = "relative_foreground_sensitivity"
    if measure not in comparison.measures:
        return None
    amount = "deviation of the noise, grey levels of 255"
    drawn = [
        _curves(comparison, "accuracy", "noise foreground", amount, "Accuracy with noise on the object"),
        _curves(comparison, "accuracy", "noise background", amount, "Accuracy with noise on the background"),
        _curves(comparison, measure, "noise", amount, wording(measure).title),
    ]
    parts = [part for part in comparison.parts("accuracy") if part.startswith("noise ")]
    notes = remarks(comparison, {"accuracy": parts, measure: None})
    if not any(drawn):
        drawn = [*_bar_panels(comparison, measure, comparison.parts(measure))]
    return section("Noise on the object", "noise", lead(measure), legend(comparison), panels(drawn), notes)


def focus(comparison: Comparison) -> Markup | None:
    """Show foreground focus by method."""
    measure, known = "foreground_focus", list(METHODS)
    parts = comparison.parts(measure)
    if not parts:
        return None
    parts.sort(key=lambda part: known.index(part) if part in known else len(known))
    shown = _bar_panels(comparison, measure, parts, reference=1.0)
    return section("Attention", "focus", lead(measure), panels(shown), remarks(comparison, {measure: None}))


def variants(comparison: Comparison) -> Markup | None:
    """Show accuracy on the variants of ImageNet-9, with the gap marked."""
    if not {"mixed_same", "mixed_rand", "only_fg"} & set(comparison.parts("accuracy")):
        return None
    chance = None if comparison.classes != 9 else _CHANCE
    shown = _bar_panels(comparison, "accuracy", VARIANTS, beside="bg_gap", reference=chance)
    notes = remarks(comparison, {"accuracy": VARIANTS, "bg_gap": None})
    names = [name for name in VARIANTS if name in comparison.parts("accuracy")]
    return section("ImageNet-9", "imagenet-9", lead("bg_gap"), panels(shown), glossary(names), notes)


def categories(comparison: Comparison) -> Markup | None:
    """Show what the background is to each image: needed, misleading, or nothing."""
    parts = [part for part in CATEGORIES if part in comparison.parts("category")]
    if not parts:
        return None
    keys = (element("li", element("span", class_=f"key k{number}"), part) for number, part in enumerate(CATEGORIES))
    shown = []
    for number, model in enumerate(comparison.models):
        values = [(part, value) for part in CATEGORIES if (value := model.get("category", part))]
        shown.append(panel(number, model.model, stacked(f"Role of the background: {model.model}", values)))
    legend_of_parts = element("ul", keys, class_="legend")
    return section(
        "Role of the background",
        "role",
        lead("category"),
        legend_of_parts,
        panels(shown),
        remarks(comparison, {"category": None}),
    )


def attacks(comparison: Comparison) -> Markup | None:
    """Show how often backgrounds win, and how many objects withstand all of them."""
    measures = [name for name in ("challenge", "attack_success") if name in comparison.measures]
    if not measures:
        return None
    shown = []
    for number, model in enumerate(comparison.models):
        found = [
            Bar(_attack_name(measure, part), value)
            for measure in measures
            for part in comparison.whole_parts(measure)
            if (value := model.get(measure, part))
        ]
        if found:
            drawn = bars(f"Harmful backgrounds: {model.model}", found, wording("challenge").unit, series=number)
            shown.append(panel(number, model.model, drawn))
    return section(
        "Harmful backgrounds", "attacks", lead(*measures), panels(shown), remarks(comparison, dict.fromkeys(measures))
    )


SECTIONS = (backgrounds, cells, sizes, focus, sensitivity, variants, categories, attacks)


def aside(model: Measured, measure: str, part: str = "") -> Markup | None:
    """Return a number to stand beside a model's name, with its interval."""
    value = model.get(measure, part)
    if value is None:
        return None
    words = wording(measure)
    return element(
        "span",
        f"{words.title} ",
        element("b", words.unit.full(value.value)),
        _interval(words.unit.interval(value)),
        class_="aside",
    )


def _interval(words: str) -> Markup | None:
    return element("small", f" ({words})") if words else None


def _attack_name(measure: str, part: str) -> str:
    return (
        "challenge" + (f" {part}" if part else "")
        if measure == "challenge"
        else f"fooled, {part}"
        if part
        else "fooled"
    )


def _scale(numbers: Sequence[float]) -> tuple[float, float]:
    """Return the ends of a scale of shares, not so near to each other that noise would look like a pattern."""
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    margin = max(0.0, _NARROWEST - (high - low)) / 2
    low, high = low - margin, high + margin
    shift = max(0.0, -low) - max(0.0, high - 1)
    return low + shift, high + shift


def _bar_panels(
    comparison: Comparison, measure: str, parts: Sequence[str], *, beside: str = "", reference: float | None = None
) -> list[Markup]:
    """Return a panel of bars for each model that has any of the parts."""
    words, shown = wording(measure), []
    known = [value for part in parts for value in comparison.values(measure, part) if value is not None]
    top = max([1.0, *(number for value in known for number in (value.value, value.high) if number is not None)])
    for number, model in enumerate(comparison.models):
        found = [Bar(part_words(part) or words.title, value) for part in parts if (value := model.get(measure, part))]
        if not found:
            continue
        gap, difference = None, model.get("bg_gap")
        if beside == "bg_gap" and difference is not None and difference.value is not None:
            gap = Gap("mixed_same", "mixed_rand", f"gap {wording('bg_gap').unit.bare(difference.value)}")
        title = f"{words.title}: {model.model}"
        drawn = bars(title, found, words.unit_of(parts[0]), series=number, top=top, reference=reference, gap=gap)
        shown.append(panel(number, model.model, drawn, aside(model, beside) if beside else None))
    return shown


def _curves(comparison: Comparison, measure: str, kind: str, x_words: str, title: str) -> Markup | None:
    """Return a figure of the parts of a measure that are amounts, such as `size 0.5`; None: fewer than two values."""
    amounts = {
        part: float(found["amount"])
        for part in comparison.parts(measure)
        if (found := _AMOUNT.fullmatch(part))
        and found["kind"] == kind
        and any(value and value.value is not None for value in comparison.values(measure, part))
    }
    if len(amounts) < 2:
        return None
    curves = [
        Curve(model.model, {at: value for part, at in amounts.items() if (value := model.get(measure, part))})
        for model in comparison.models
    ]
    words = wording(measure)
    drawn = lines(
        f"{title} by {x_words}",
        curves,
        words.unit,
        x_words=x_words,
        reference=1.0 if measure == "size_bias" else None,
    )
    unit = words.unit.suffix.strip()
    caption = element("figcaption", f"{title}{unit and ', '}{unit}")
    return element("figure", caption, drawn, class_="panel")
