"""docs/troubleshooting.md explains every error there is, and none that there is not."""

from __future__ import annotations

import re

import pytest

from fornet_hf import errors
from tests.messages import ROOT, messages

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
CLASSES = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
# A damaged file breaks the format in a hundred ways, with one next step; the others never reach a user.
GENERIC = {"PatchFormatError", "TypeError", "IndexError", "AssertionError", "AttributeError", "ArgumentTypeError"}
MESSAGES = {
    (message.error, message.text): message for message in messages("fornet_hf") if message.error not in GENERIC
}


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_every_class_of_errors_has_its_section(error):
    builtin = ", ".join(base.__name__ for base in error.__bases__ if not issubclass(base, errors.ForNetError))
    heading = f"## {error.__name__}" + (f" ({builtin})" if error is not errors.ForNetError else "")
    assert f"{heading}\n" in PAGE


def test_every_message_is_explained():
    missing = [f"{m.error}: {m.text} ({m.place})" for m in MESSAGES.values() if m.text not in PAGE]
    assert not missing, "\n".join(missing)


PARTS = re.split("## (?:Masks and training|Not ours)", PAGE)


@pytest.mark.parametrize(("part", "folder", "least"), [(PARTS[0], "fornet_hf", 80), (PARTS[1], "build", 15)])
def test_every_explained_message_can_come(part, folder, least):
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / folder).rglob("*.py")]
    tables = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
    quoted = [text for cell in tables for text in re.findall(r"`([^`]+)`", cell)]
    assert len(quoted) > least
    assert [text for text in quoted if not any(text in source for source in sources)] == []
