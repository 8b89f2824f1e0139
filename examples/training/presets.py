"""Presets: JSON files with fields of the configuration, which options overrule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from training.config import require

FOLDER = Path(__file__).parents[1] / "presets"
EXTENDS, ABOUT = "extends", "about"


def names() -> list[str]:
    """Return the names of the presets that are here, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read_preset(name: str) -> dict[str, Any]:
    """Return the fields that a preset sets.

    Args:
        name: of one that is here, or a JSON file: an object of fields, with `about`, words for people, and `extends`,
            the name of one that is here, whose fields come first.

    Raises:
        NotFoundError: no such file.
        ConfigurationError: no such preset, or it is none.
    """
    path = FOLDER / f"{name}.json" if name in names() else Path(name)
    if path.suffix != ".json":
        raise ConfigurationError(
            explain("there is no such preset", found=repr(name), allowed=", ".join([*names(), "FILE.json"]))
        )
    if not path.is_file():
        raise NotFoundError(explain(f"no preset {path}", allowed=", ".join(names())))
    try:
        fields: dict[str, Any] = dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ConfigurationError(explain(f"{path} is no preset", found=error, allowed="a JSON object")) from error
    fields.pop(ABOUT, None)
    if (base := fields.pop(EXTENDS, None)) is None:
        return fields
    require(base in names(), EXTENDS, base, ", ".join(names()))
    return {**read_preset(base), **fields}
