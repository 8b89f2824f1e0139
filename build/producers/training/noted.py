"""Settings kept beside what was made with them, so that other ones do not go on with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.files import write_text


def note_settings(
    path: Path, settings: Mapping[str, Any], free: frozenset[str] = frozenset(), *, writes: bool = True
) -> None:
    """Write settings to a JSON file, or check that they are those which are there.

    Args:
        path: of the file.
        settings: JSON values.
        free: names of those that may be others now.
        writes: whether this process writes.

    Raises:
        ConfigurationError: others differ.
    """
    now = json.loads(json.dumps(settings))
    if path.is_file():
        known = json.loads(path.read_text(encoding="utf-8"))
        names = sorted({*known, *now} - free)
        if different := [name for name in names if known.get(name) != now.get(name)]:
            found, allowed = ({name: one.get(name) for name in different} for one in (now, known))
            then = f"Choose another output folder, or delete {path.parent} to begin anew."
            raise ConfigurationError(
                explain(f"{path}: begun with other settings", found=found, allowed=allowed, then=then)
            )
    if writes:
        write_text(path, json.dumps(now, indent=1, ensure_ascii=False) + "\n")
