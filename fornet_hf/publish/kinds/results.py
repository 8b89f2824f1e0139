"""Rows of results and their pages, which become a dataset repository."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fornet_hf.errors import NotFoundError, explain
from fornet_hf.hub.location import contents
from fornet_hf.publish.contents import Content, refuse_tokens
from fornet_hf.publish.kinds.cards import card, citation, files_table, left_out, section, table
from fornet_hf.publish.kinds.images import ENDINGS, holds_images, refuse_images
from fornet_hf.publish.kinds.kind import Maker, Publication
from fornet_hf.release.verify import CARD

CSV = "results.csv"
_ROWS = (CSV, "results.jsonl", "results.json")  # of which there must be one
_BELONG = frozenset({".csv", ".json", ".jsonl", ".md", ".html", ".svg", ".parquet", *ENDINGS})
_THEN = "Leave pages and files with images out: --without-images."
_MOST, _COLUMNS = 60, 10  # of the table on the card
_NAMES = ("model", "data", "measure", "part")
_OF_CLASS = re.compile(r"(^| )class ")
_LICENSE = "cc-by-4.0"


@dataclass(frozen=True, kw_only=True)
class ResultsMaker(Maker):
    """Results to be published.

    Attributes:
        folder: that `fornet evaluate` or a training wrote.
        repository: which they are published to.
        images_allowed: whether images that are not ImageNet's may be published.
        without_images: whether everything that holds images is left out.
        license: of the numbers, as the Hub calls it; None: CC BY 4.0.
        token: the token in use, which no file may hold.
    """

    folder: Path
    repository: str
    images_allowed: bool = False
    without_images: bool = False
    license: str | None = None
    token: str | None = None

    def given(self) -> Mapping[str, Content]:
        """Return the files, by path; raises as `made`."""
        return self._files

    def made(self) -> Publication:
        """Return the results with their card.

        Raises:
            NotFoundError: there are none.
            ConfigurationError: a file holds images that must not be published, or a token.
            SourceError: a Parquet file is damaged.
        """
        text = self._card()
        files: dict[str, Content] = {**self._files, CARD: text}
        refuse_tokens(files, self.token)
        inside = (path for path in sorted(self.folder.rglob("*")) if path.is_file())
        left = [path.relative_to(self.folder).as_posix() for path in inside if path not in self._files.values()]
        return Publication(files=files, card=text, said=left_out(left))

    @cached_property
    def _files(self) -> dict[str, Path]:
        if not self.folder.is_dir():
            raise NotFoundError(explain("the folder of results is missing", found=f"no folder {self.folder}"))
        if not any((self.folder / name).is_file() for name in _ROWS):
            allowed = " or ".join(_ROWS)
            raise NotFoundError(explain(f"{self.folder}: no results", found=contents(self.folder), allowed=allowed))
        files = {path.relative_to(self.folder).as_posix(): path for path in self._belonging()}
        if self.without_images:
            # What names the images is of no use without them.
            shown = {path.parent for path in files.values() if path.suffix.lower() in ENDINGS} - {self.folder}
            return {name: path for name, path in files.items() if path.parent not in shown and not holds_images(path)}
        refuse_images(files, allowed=self.images_allowed, beside=files.values(), then=_THEN)
        return files

    def _belonging(self) -> Iterator[Path]:
        for path in sorted(self.folder.rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(self.folder).parts)
            if path.is_file() and not hidden and path.suffix.lower() in _BELONG and path.name != CARD:
                yield path

    def _card(self) -> bytes:
        header = {
            "license": self.license or _LICENSE,
            "tags": ["fornet", "evaluation", "bias"],
            "configs": [{"config_name": "default", "data_files": CSV}] if CSV in self._files else None,
        }
        numbers = table(*self._numbers())
        read = (
            f'```python\nimport pandas as pd\n\nnumbers = pd.read_csv("hf://datasets/{self.repository}/{CSV}")\n```'
        )
        parts = (
            f"# {self.repository.rpartition('/')[2]}",
            "Results of classifiers of images, measured with ForNet.",
            section("Numbers", numbers),
            section("Read them", read if CSV in self._files else ""),
            section("Files", files_table(self._files, {})),
            citation(),
        )
        return card(header, parts)

    def _numbers(self) -> tuple[Sequence[str], list[Sequence[str]]]:
        """Return the head of a table, and its rows: of `results.csv` the first numbers, without those of classes."""
        path = self._files.get(CSV)
        if path is None:
            return (), []
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows, names = list(reader), list(reader.fieldnames or ())
        if not {"value", "measure"} <= set(names):  # a row for each run
            return names[:_COLUMNS], [[_short(row[name] or "") for name in names[:_COLUMNS]] for row in rows[:_MOST]]
        shown = [row for row in rows if row["value"] and not _OF_CLASS.search(row.get("part") or "")]
        return (*_NAMES, "value", "95 %"), [
            [*(row.get(name) or "" for name in _NAMES), _short(row["value"]), _interval(row)] for row in shown[:_MOST]
        ]


def _interval(row: Mapping[str, str]) -> str:
    return f"{_short(row['low'])} to {_short(row['high'])}" if row.get("low") and row.get("high") else ""


def _short(number: str) -> str:
    try:
        return f"{float(number):.4g}"
    except ValueError:
        return number
