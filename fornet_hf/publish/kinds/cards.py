"""Cards: a YAML header that the Hub reads, and Markdown for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PureWindowsPath
from typing import Any

from fornet_hf.builder.about import CITATION
from fornet_hf.files import readable_bytes
from fornet_hf.publish.contents import Content
from fornet_hf.publish.plan import size_of

TERMS = "https://www.image-net.org/download.php"
_MOST = 60  # lines of a table of settings
_NAMED = 5  # files that a line names


def card(header: Mapping[str, Any], parts: Iterable[str]) -> bytes:
    """Return a card: its header without what is None or empty, and the parts with an empty line between."""
    import yaml  # type: ignore[import-untyped]

    kept = {name: value for name, value in header.items() if value not in (None, (), [], {}, "")}
    text = yaml.safe_dump(kept, sort_keys=False, allow_unicode=True)
    body = "\n\n".join(part.strip() for part in parts if part.strip())
    return f"---\n{text}---\n\n{body}\n".encode()


def section(title: str, *parts: str) -> str:
    """Return a section; empty if it would have nothing but its title."""
    shown = [part for part in parts if part]
    return "\n\n".join([f"## {title}", *shown]) if shown else ""


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table in Markdown; empty if it has no rows."""
    lines = ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *lines]) if lines else ""


def files_table(files: Mapping[str, Content], meaning: Mapping[str, str]) -> str:
    """Return a table of files, with what they mean."""
    rows = [(f"`{path}`", readable_bytes(size_of(of)), meaning.get(path, "")) for path, of in sorted(files.items())]
    return table(("file", "size", ""), rows)


def settings_table(value: Mapping[str, Any]) -> str:
    """Return a table of settings, nested ones by names with dots; paths of this machine by their last names alone."""
    return table(("setting", "value"), [(f"`{name}`", one) for name, one in [*flat(value)][:_MOST]])


def flat(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Yield settings as text, by names with dots; absolute paths by their last names alone."""
    for name, one in value.items():
        if isinstance(one, Mapping):
            yield from flat(one, f"{before}{name}.")
        else:
            yield f"{before}{name}", _words(one)


def left_out(paths: Sequence[str]) -> list[str]:
    """Return a line that names files which are not published; none for no files."""
    named = ", ".join(paths[:_NAMED]) + (" ..." if len(paths) > _NAMED else "")
    return [f"left out: {named}"] if paths else []


def citation() -> str:
    """Return the section that says what to cite."""
    return section("Citation", f"```bibtex\n{CITATION}\n```")


def plain(text: str) -> str:
    """Return a text, of an absolute path its last name alone: it tells of the machine."""
    is_path = Path(text).is_absolute() or PureWindowsPath(text).is_absolute()
    return PureWindowsPath(text).name if is_path else text


def _words(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_words, value))
    return f"{value:.6g}" if isinstance(value, float) else plain(str(value))


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
