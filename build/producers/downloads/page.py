"""The catalogue for people: as tables of docs/data.md, and as lines of a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from producers.downloads.catalogue import CATALOGUE, DATA, WEIGHTS
from producers.downloads.digests import words
from producers.downloads.item import FILE, PAGE, UNKNOWN, Item

_HEAD = ("name", "wanted by", "address", "size", "licence", "digest")


def tables() -> str:
    """Return the tables of docs/data.md, in Markdown."""
    return f"### Data\n\n{_table(DATA)}\n\n### Weights\n\n{_table(WEIGHTS)}\n"


def lines() -> list[str]:
    """Return a line for each item: name, size, licence, and the commands that want it."""
    rows = [(item.name, item.size, item.licence, item.wanted_by) for item in CATALOGUE.values()]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return ["  ".join([*map(str.ljust, row[:3], widths), row[3]]) for row in rows]


def details(item: Item) -> list[str]:
    """Return all that is known of an item."""
    facts = {
        "wanted by": item.wanted_by,
        "address": item.page,
        "size": item.size,
        "licence": item.licence,
        "terms": item.terms,
        "digest": f"{item.digest}, says {item.stated_by}" if item.digest else UNKNOWN,
        "commit": item.revision,
    }
    return [item.name, *(f"  {name}: {value}" for name, value in facts.items() if value)]


def _table(items: Iterable[Item]) -> str:
    rows = [_HEAD, ("---",) * len(_HEAD), *map(_row, items)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(item: Item) -> Sequence[str]:
    shown = f"[{item.names[0]}]({item.page})" if item.kind == FILE else f"[{item.address}]({item.page})"
    if item.kind == PAGE:
        shown = f"by hand from [its page]({item.page})" + "".join(f", `{name}`" for name in item.files)
    if item.terms and item.kind != PAGE:
        shown += f"; accept its [terms]({item.terms}) first"
    digest = f"commit `{item.revision}`" if item.revision else UNKNOWN
    if item.digest:
        digest = f"{words(item.digest)} ({item.stated_by})"
    return (f"`{item.name}`", item.wanted_by, shown, item.size, item.licence, digest)
