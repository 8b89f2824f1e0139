"""Docstrings say who does what: functions begin with a verb, classes and properties with a noun."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.blocks import ROOT

QUESTIONS = {"What", "Which", "Whether", "Where", "How", "When", "Who", "Why"}
NO_VERBS = {
    "A", "All", "An", "At", "Bytes", "Each", "Every", "In", "Into", "No", "None", "Number", "Of", "One", "The",
}  # fmt: skip
FILES = [
    ROOT / "ForNet.py",
    *(path for room in ("fornet_hf", "build", "examples") for path in (ROOT / room).rglob("*.py")),
]


def offenders(path: Path) -> Iterator[str]:
    """Yield the docstrings of a file that begin with a question, and those of functions that begin with no verb."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node) or "-"
            verb = isinstance(node, ast.FunctionDef) and not any(
                "property" in ast.unparse(decorator) for decorator in node.decorator_list
            )
            if text.split()[0].rstrip(",:.;") in QUESTIONS | (NO_VERBS if verb else set()):
                yield f"{path}:{getattr(node, 'lineno', 1)}: {text.splitlines()[0]}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_docstrings_say_who_does_what(path):
    assert list(offenders(path)) == []


def test_this_test_can_fail(tmp_path):
    path = tmp_path / "code.py"
    path.write_text('"""Which."""\ndef f():\n    """The sum."""\n@property\ndef g():\n    """The sum."""\n')
    assert len(list(offenders(path))) == 2
