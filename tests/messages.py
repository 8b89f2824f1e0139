"""The messages of the errors that the code raises, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes:
        error: name of the error's class.
        text: the longest part of the message that is the same every time.
        place: file and line.
    """

    error: str
    text: str
    place: str


def messages(folder: str) -> list[Message]:
    """All messages of errors that the Python files under a folder of the project make."""
    return [message for path in sorted((ROOT / folder).rglob("*.py")) for message in _of_file(path)]


def _of_file(path: Path) -> Iterator[Message]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        values = {
            target.id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Error"):
                text = _text(node.args[0], values) if node.args else None
                if text:
                    yield Message(node.func.id, text, f"{path.relative_to(ROOT)}:{node.lineno}")


def _text(node: ast.expr, values: dict[str, ast.expr]) -> str | None:
    """The longest literal part of the string that an expression makes; None: there is none."""
    if isinstance(node, ast.Name) and node.id in values:
        return _text(values[node.id], {})
    if isinstance(node, ast.Call) and node.args:
        return _text(node.args[0], values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        parts = [node.value]
    elif isinstance(node, ast.JoinedStr):
        parts = [part.value for part in node.values if isinstance(part, ast.Constant)]
    else:
        return None
    text = max(parts, key=len, default="").strip(" .,:;()'\"")
    return text if len(text) >= 8 else None
