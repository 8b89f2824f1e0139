"""Remarks below the numbers: how many images they come from, what was left out and why, what is not defined."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from fornet_hf.evaluation.report.comparison import Comparison
from fornet_hf.evaluation.report.html import Markup, Node, element
from fornet_hf.evaluation.report.numbers import UNDEFINED
from fornet_hf.evaluation.report.wording import of_class, part_words, wording
from fornet_hf.evaluation.statistics.values import Value

_SHOWN = 9  # parts that are named before "and others"

Found = Sequence[tuple[int, Value]]


def remarks(comparison: Comparison, wanted: Mapping[str, Collection[str] | None]) -> Markup | None:
    """Return the remarks on some measures as a list; those on single classes stand with the classes.

    Args:
        comparison: of the models.
        wanted: the parts of each measure; None: all.
    """
    found = [
        (number, value)
        for number, model in enumerate(comparison.models)
        for value in model.values
        if value.measure in wanted
        and of_class(value.measure, value.part) is None
        and ((only := wanted[value.measure]) is None or value.part in only)
    ]
    lines = [*_counts(comparison, found), *_notes(comparison, found)]
    return element("ul", (element("li", line) for line in lines), class_="remarks") if lines else None


def left_out_words(value: Value) -> str:
    """Say how many items were left out and why; empty: none was."""
    if not value.left_out:
        return ""
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(value.left_out.items()))
    return f"{sum(value.left_out.values()):,} left out ({reasons})"


def _counts(comparison: Comparison, found: Found) -> Iterable[Node]:
    groups: dict[tuple[int, str], list[tuple[int, Value]]] = {}
    for number, value in found:
        if value.n or value.left_out:
            groups.setdefault((value.n, left_out_words(value)), []).append((number, value))
    for (n, left_out), members in groups.items():
        who = _who(comparison, members, found) if len(groups) > 1 else ""
        words = f"{n:,} images" + (f"; {left_out}" if left_out else ", none left out")
        yield [element("b", who, ": ") if who else None, words, "."]


def _notes(comparison: Comparison, found: Found) -> Iterable[Node]:
    groups: dict[str, list[tuple[int, Value]]] = {}
    for number, value in found:
        if value.note or value.value is None:
            words = value.note if value.value is not None else f"{UNDEFINED}{value.note and ': '}{value.note}"
            groups.setdefault(words, []).append((number, value))
    for words, members in groups.items():
        who = _who(comparison, members, found) if len(members) < len(found) else ""
        yield [element("b", who, ": "), words, "."] if who else [words[:1].upper() + words[1:], "."]


def _who(comparison: Comparison, members: Found, among: Found) -> str:
    """Name the values of a group: by measure and part, and by model where the group has only some of the models."""
    named: dict[str, list[str]] = {}
    for _, value in members:
        parts = named.setdefault(value.measure, [])
        if value.part not in parts:
            parts.append(value.part)
    words = ", ".join(_name(measure, parts) for measure, parts in named.items())
    models = sorted({number for number, _ in members})
    concerned = {number for number, value in among if value.part in named.get(value.measure, ())}
    if set(models) == concerned:
        return words
    return f"{words} of {', '.join(comparison.models[number].model for number in models)}"


def _name(measure: str, parts: Sequence[str]) -> str:
    """Name a measure, with those of its parts that are not all of it."""
    written = [part_words(part) for part in parts if part]
    others = f" and {len(written) - _SHOWN} others" if len(written) > _SHOWN else ""
    return wording(measure).title + (f" ({', '.join(written[:_SHOWN])}{others})" if written else "")
