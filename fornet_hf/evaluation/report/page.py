"""The page: one file of HTML with its style, its script and its images inside, which asks nothing of a network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Sequence
from importlib import resources
from pathlib import Path

from fornet_hf.evaluation.report.comparison import Comparison
from fornet_hf.evaluation.report.differences import differences
from fornet_hf.evaluation.report.frame import model_name, section
from fornet_hf.evaluation.report.gallery import gallery
from fornet_hf.evaluation.report.html import Markup, Node, element
from fornet_hf.evaluation.report.remarks import remarks
from fornet_hf.evaluation.report.sections import SECTIONS
from fornet_hf.evaluation.report.summary import summary
from fornet_hf.evaluation.report.tables import by_class, everything
from fornet_hf.evaluation.report.wording import DOCS, MEASURES, wording
from fornet_hf.files import write_text

FILE = "report.html"


def write(comparisons: Sequence[Comparison], folder: Path) -> Path:
    """Write the page to a folder; return its path. Arguments are those of `page`.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    path = folder / FILE
    write_text(path, page(comparisons))
    return path


def page(comparisons: Sequence[Comparison]) -> str:
    """Return the whole page, the same bytes for the same numbers and images.

    Args:
        comparisons: one for each set of images on which models were measured; each gets a chapter.
    """
    style, script = _packaged("page.css"), _packaged("page.js")
    title = "Biases of classifiers: " + ", ".join(dict.fromkeys(one.data for one in comparisons))
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        element("title", title),
        element("style", style),
    )
    chapters = [_chapter(one) for one in comparisons]
    footer = element("footer", element("p", "Made by ", element("a", "fornet evaluate", href=DOCS), "."))
    body = element("body", element("main", chapters), footer, element("script", script))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _chapter(comparison: Comparison) -> list[Node]:
    return [
        _head(comparison),
        section("Summary", "summary", summary(comparison), remarks(comparison, _noted(comparison))),
        differences(comparison),
        [make(comparison) for make in SECTIONS],
        gallery(comparison),
        section("Tables", "tables", by_class(comparison), everything(comparison)),
        _reading(comparison),
    ]


def _noted(comparison: Comparison) -> dict[str, Collection[str] | None]:
    """Return the values whose remarks stand below the summary, as they have no section."""
    unknown = [measure for measure in comparison.measures if measure not in MEASURES]
    return {"accuracy": ("original", "every original"), **dict.fromkeys(unknown)}


def _head(comparison: Comparison) -> Markup:
    """Return what was measured on what, and by what."""
    count = len(comparison.models)
    precisions = sorted({model.precision for model in comparison.models})
    facts = {
        "Data": comparison.data,
        "Split": comparison.split,
        "Release": comparison.release and digest(comparison.release),
        "Seed": "" if comparison.seed is None else str(comparison.seed),
        "Precision": precisions[0] if len(precisions) == 1 else "",
        "Version": ", ".join(sorted({model.version for model in comparison.models if model.version})),
        **{name.capitalize(): words for name, words in comparison.settings.items() if name != "precision"},
    }
    entries = (element("div", element("dt", name), element("dd", words)) for name, words in facts.items() if words)
    models = (
        element(
            "li", model_name(number, model.model),
            digest(model.digest), element("small", model.precision if len(precisions) > 1 else None),
        )
        for number, model in enumerate(comparison.models)
    )  # fmt: skip
    return element(
        "header",
        element("h1", f"Biases of {count} classifier{'s' if count > 1 else ''} on {comparison.data}"),
        element("dl", entries, class_="facts"),
        element("ul", models, class_="models", aria_label="Models and the digests of their weights"),
    )


def digest(words: str) -> Markup:
    """Return a digest whose beginning is shown, and all of it when it is pointed at, focused or copied."""
    return element("code", words, class_="digest", title=words, tabindex=0)


def _reading(comparison: Comparison) -> Markup:
    """Say how to read each measure, and how to measure again."""
    entries = (
        element(
            "div",
            element("dt", element("a", wording(measure).title, href=f"{DOCS}#{wording(measure).anchor}")),
            element("dd", wording(measure).sentence),
        )
        for measure in MEASURES
        if measure in comparison.measures
    )
    interval = (
        "Intervals hold 95 % of what resampling the source images gives; all that was made of one image stays "
        "together. Overlapping intervals do not tell two models apart; the interval of their difference may."
    )
    again = [element("h3", "Measure again"), element("pre", element("code", comparison.command), tabindex=0)]
    return section(
        "How to read this", "reading", element("dl", entries, class_="explained"), element("p", interval),
        again if comparison.command else None,
    )  # fmt: skip


def _policy(style: str, script: str) -> str:
    """Return a policy by which browsers load nothing from elsewhere, and run no script but ours."""
    return f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'"


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode("ascii")


def _packaged(name: str) -> Markup:
    """Return a file of this package; it holds nothing that must be escaped in its element."""
    return Markup((resources.files(__package__) / name).read_text(encoding="utf-8"))
