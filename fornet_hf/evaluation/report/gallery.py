"""Examples on the page: images that fooled a model beside the background that did it, and what models looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fornet_hf.evaluation.report.comparison import Comparison, Measured
from fornet_hf.evaluation.report.examples import CAP, Fooled, SaliencyExample
from fornet_hf.evaluation.report.frame import model_name, section
from fornet_hf.evaluation.report.html import Markup, Node, element, image
from fornet_hf.evaluation.report.wording import part_words


def gallery(comparison: Comparison) -> list[Markup]:
    """Return the sections of examples, at most `CAP` of each kind and model."""
    fooled = [_fooled(model) for model in comparison.models]
    salient = [_salient(model) for model in comparison.models]
    sections = []
    if any(fooled):
        words = (
            "Images that a model got wrong although it recognised the same object on another background. "
            "Left: recognised; right: not."
        )
        cards = _by_model(comparison, fooled)
        sections.append(section("Fooled by the background", "fooled", element("p", words, class_="lead"), cards))
    if any(salient):
        words = "Important parts are in colour, the rest is grey."
        cards = _by_model(comparison, salient)
        sections.append(section("Where models look", "saliency", element("p", words, class_="lead"), cards))
    return sections


def _by_model(comparison: Comparison, cards: Sequence[Sequence[Markup]]) -> Iterable[Node]:
    """Yield the cards of each model below its name."""
    for number, model in enumerate(comparison.models):
        if cards[number]:
            heading = element("h3", model_name(number, model.model))
            yield element("div", heading, element("div", cards[number], class_="cards"))


def _fooled(model: Measured) -> list[Markup]:
    return [_fooled_card(example) for example in model.examples if isinstance(example, Fooled)][:CAP]


def _salient(model: Measured) -> list[Markup]:
    """Return a card for each image, with all methods."""
    groups: dict[str, list[SaliencyExample]] = {}
    for example in model.examples:
        if isinstance(example, SaliencyExample):
            groups.setdefault(example.key, []).append(example)
    return [_saliency_card(group) for group in groups.values()][:CAP]


def _fooled_card(example: Fooled) -> Markup:
    said = example.predicted or "none of the classes"
    alternative = f"{example.label} on the background of {_background(example)}, taken for {said}"
    shown = [image(example.image, alternative)]
    if example.right is not None:
        shown.insert(0, image(example.right, f"the same {example.label}, recognised"))
    facts: list[tuple[str, Node]] = [("is", example.label), ("said", element("strong", said))]
    facts.append(("background", _background(example)))
    if example.probability is not None:
        facts.append(("right class", f"{_percent(example.probability)} probable"))
    entries = (element("div", element("dt", name), element("dd", words)) for name, words in facts)
    keys = element(
        "small", example.key, f" on {example.background_key}" if example.background_key else None, class_="keys"
    )
    return element(
        "figure",
        element("div", shown, class_="pair"),
        element("figcaption", element("dl", entries), keys),
        class_="card",
    )


def _percent(share: float) -> str:
    return "less than 1\u00a0%" if share < 0.01 else f"{100 * share:.0f}\u00a0%"


def _background(example: Fooled) -> str:
    return example.background_label or "an unknown class"


def _saliency_card(group: list[SaliencyExample]) -> Markup:
    first = group[0]
    name = first.label or first.key or "image"
    shown = [_captioned(image(first.image, name), "image")]
    for example in group:
        method = part_words(example.method)
        shown.append(_captioned(image(example.overlay, f"{name}: important parts by {method}"), method))
    words = element("figcaption", element("strong", first.label), element("small", first.key, class_="keys"))
    return element("figure", element("div", shown, class_="views"), words, class_="card")


def _captioned(shown: Markup, words: str) -> Markup:
    return element("div", shown, element("small", words))
