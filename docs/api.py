"""The page of the public names, from their docstrings."""

from __future__ import annotations

import inspect
import re
import textwrap

import fornet_hf
from fornet_hf import errors

_HEAD = """# API

Import every name from `fornet_hf`. [Parameters](parameters.md) lists the allowed values of each parameter,
[Troubleshooting](troubleshooting.md) every error. The examples run where `make demo` was run.
"""
_SECTION = re.compile(r"^(Args|Attributes|Returns|Raises|Example): *", re.MULTILINE)
_ITEM = re.compile(r"^    ([\w*]+): (.*?)(?=^    [\w*]+: |\Z)", re.MULTILINE | re.DOTALL)


def api_page() -> str:
    """Return the page: for each public name its signature and its docstring as Markdown."""
    names = sorted(dir(fornet_hf), key=str.lower)
    index = ", ".join(f"[`{name}`](#{name.lower()})" for name in names)
    return "\n".join([_HEAD, f"{index}\n", *(_entry(name) for name in names)])


def items(docstring: str, section: str) -> dict[str, str]:
    """Return the items of a section of a docstring, each on one line."""
    text = dict(_sections(docstring))[section]
    return {name: " ".join(meaning.split()) for name, meaning in _ITEM.findall(text)}


def shown(value: object) -> str:
    """Return a default as one writes it."""
    return repr(tuple(round(x, 4) for x in value)) if isinstance(value, tuple) else repr(value).replace("'", '"')


def _entry(name: str) -> str:
    thing = getattr(fornet_hf, name)
    error = isinstance(thing, type) and issubclass(thing, Exception)
    parts = [f"## {name}\n", f"```\n{_tree() if error else _signature(name, thing)}\n```\n"]
    for section, text in _sections(thing.__doc__ or ""):
        if section == "Example":
            parts.append(f"```pycon\n{textwrap.dedent(text).strip()}\n```\n")
        elif section in ("", "Returns"):
            parts.append(f"{section and 'Returns: '}{_linked(textwrap.dedent(text).strip(), name)}\n")
        else:
            lines = [
                f"- `{item}`: {_linked(meaning, name)}" for item, meaning in items(thing.__doc__, section).items()
            ]
            parts.append("\n".join([f"{section}:\n", *lines, ""]))
    return "\n".join(parts)


def _sections(docstring: str) -> list[tuple[str, str]]:
    """Return the parts of a docstring by their titles; what comes first has none."""
    first, *rest = _SECTION.split(inspect.cleandoc(docstring))
    return [("", first), *zip(rest[::2], rest[1::2], strict=True)]


def _tree() -> str:
    """Return the tree of errors, as their module draws it."""
    lines = (errors.__doc__ or "").splitlines()
    return textwrap.dedent("\n".join(line for line in lines if line.startswith("    ")))


def _signature(name: str, thing: object) -> str:
    """Return a call as one writes it, a parameter a line where one line does not hold it."""
    signature, parameters = inspect.signature(thing), []  # type: ignore[arg-type]
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parameters:
            parameters.append("*")
        stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        default = "" if parameter.default is parameter.empty else f" = {shown(parameter.default)}"
        parameters.append(f"{stars}{parameter.name}: {parameter.annotation}{default}")
    gives = "" if isinstance(thing, type) else f" -> {signature.return_annotation}"
    line = f"{name}({', '.join(parameters)}){gives}"
    return line if len(line) <= 100 else "\n".join([f"{name}(", *(f"    {one}," for one in parameters), f"){gives}"])


def _linked(text: str, here: str) -> str:
    """Return a text in which other public names lead to their entries."""
    others = "|".join(name for name in dir(fornet_hf) if name != here)
    return re.sub(rf"`({others})`", lambda match: f"[`{match[1]}`](#{match[1].lower()})", text)
