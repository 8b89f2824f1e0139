"""Notes on the things that were fetched, in `downloads.json`: another file under the same address is noticed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.files import write_text
from fornet_hf.locks import alone

NAME = "downloads.json"


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """Something as it was fetched first.

    Attributes:
        address: of it.
        path: of the file or folder.
        bytes: of the file; 0 for a repository.
        digest: SHA-256 of the file, or commit of the repository.
    """

    address: str
    path: str
    bytes: int
    digest: str


@dataclass(frozen=True)
class Lock:
    """The notes of a folder, by the names of the catalogue."""

    folder: Path

    def read(self) -> dict[str, Fetched]:
        """Return all notes.

        Raises:
            ConfigurationError: the file is damaged.
        """
        path = self.folder / NAME
        if not path.is_file():
            return {}
        try:
            document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return {name: Fetched(**one) for name, one in document.items()}
        except (ValueError, TypeError, AttributeError) as error:
            then = "Delete it, and what is fetched next is noted anew."
            raise ConfigurationError(explain(f"{path}: damaged", found=error, then=then)) from error

    def note(self, name: str, fetched: Fetched) -> None:
        """Add or replace a note; of commands that do so at the same time, each waits for those before it."""
        with alone(self.folder / f".{NAME}.lock"):
            notes = {**self.read(), name: fetched}
            document = {one: asdict(notes[one]) for one in sorted(notes)}
            write_text(self.folder / NAME, json.dumps(document, indent=1) + "\n")
