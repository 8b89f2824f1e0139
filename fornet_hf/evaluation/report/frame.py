"""Frame of a section: heading, lead, panels of the models, legend, glossary, remarks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fornet_hf.evaluation.report.comparison import Comparison
from fornet_hf.evaluation.report.html import Markup, Node, breakable, element
from fornet_hf.evaluation.report.plots.drawing import swatch
from fornet_hf.evaluation.report.wording import CONDITIONS, wording


def section(heading: str, name: str, *content: Node) -> Markup:
    """Return a section; its name is a class for the style sheet, and several chapters may have it."""
    return element("section", element("h2", heading), *content, class_=name, aria_label=heading)


def lead(*measures: str) -> Markup:
    """Return the sentences that say what the numbers of these measures mean."""
    return element("p", " ".join(wording(measure).sentence for measure in measures), class_="lead")


def model_name(number: int, model: str) -> Markup:
    """Return a model's name beside its colour and marker."""
    return element("span", swatch(number), element("span", breakable(model)), class_="model")


def panel(number: int, model: str, drawing: Node, aside: Node = None) -> Markup:
    """Return the figure of one model: its name, a number beside it, the drawing."""
    caption = element("figcaption", model_name(number, model), aside)
    return element("figure", caption, drawing, class_="panel")


def panels(figures: Iterable[Node]) -> Markup:
    """Return figures side by side, as many as there is room for."""
    return element("div", figures, class_="panels")


def legend(comparison: Comparison) -> Markup:
    """Return the models with their colours and markers."""
    entries = (element("li", model_name(number, model.model)) for number, model in enumerate(comparison.models))
    return element("ul", entries, class_="legend")


def glossary(names: Sequence[str]) -> Markup:
    """Return what the conditions of these names are."""
    entries = (
        element("div", element("dt", element("code", name)), element("dd", CONDITIONS[name]))
        for name in names
        if name in CONDITIONS
    )
    return element("dl", entries, class_="glossary")
