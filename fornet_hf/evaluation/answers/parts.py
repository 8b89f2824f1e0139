"""Work that processes share, kept in parts so that a killed run goes on: of all that shows images to classifiers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fornet_hf.errors import StorageError, explain
from fornet_hf.files import atomic_path
from fornet_hf.ranks import Ranks

FOLDER = ".parts"


def work(lacking: Callable[[], Sequence[int]], make: Callable[[Sequence[int]], None], ranks: Ranks) -> None:
    """Do what is lacking, in this process and the others, each its share.

    Args:
        lacking: takes over what is kept, and returns the numbers of what is not there.
        make: does, and keeps, what has these numbers.
        ranks: the processes; all of them have to call this.

    Raises:
        StorageError: the processes do not see one folder.
    """
    if mine := ranks.share(lacking()):
        make(mine)
    ranks.wait()
    if lacking():
        then = "Processes share their work through the folder of the results: let all of them see it."
        raise StorageError(explain("the answers of another process are not there", then=then))


@dataclass(frozen=True)
class Parts:
    """Tables by number, each there as a whole or not at all.

    Attributes:
        folder: of their files; None: nothing is kept.
        schema: of each; `item` says what a row is about.
    """

    folder: Path | None
    schema: pa.Schema

    def write(self, number: int, table: pa.Table) -> None:
        """Keep a table."""
        if self.folder is not None:
            with atomic_path(self.folder / f"{number:05}.parquet") as temporary:
                pq.write_table(table, temporary, write_page_checksum=True)

    def read(self, number: int) -> pa.Table | None:
        """Return a table; None: it is not there, or damaged, and has to be made."""
        if self.folder is None:
            return None
        try:
            return self._read(self.folder / f"{number:05}.parquet")
        except (OSError, pa.ArrowException):  # pyarrow has many words for damage
            return None

    def numbers(self) -> list[int]:
        """Return the numbers of all tables."""
        return sorted(int(path.stem) for path in self.folder.glob("*.parquet")) if self.folder else []

    def _read(self, path: Path) -> pa.Table:
        return pq.read_table(path, schema=self.schema, page_checksum_verification=True)


class Tabular(Protocol):
    """Results that come in item by item."""

    def table(self, items: range) -> pa.Table:
        """Return the results of some items: as many rows of each, in their order."""

    def add(self, table: pa.Table) -> None:
        """Take over the results of a table."""
        ...


class Chunks:
    """Results of which each part has a chunk of the items.

    Attributes:
        items: those of each chunk.
    """

    def __init__(self, results: Tabular, parts: Parts, items: Sequence[range]) -> None:
        self.items = items
        self._results, self._parts = results, parts
        self._lacking = set(range(len(items)))

    def lacking(self) -> list[int]:
        """Take over what is kept; return the numbers of the chunks that are not there."""
        for number in sorted(self._lacking):
            table = self._parts.read(number)
            if table is not None and _is_of(table, self.items[number]):
                self._results.add(table)
                self._lacking.remove(number)
        return sorted(self._lacking)

    def done(self, number: int) -> None:
        """Keep a chunk, whose results are there now."""
        self._parts.write(number, self._results.table(self.items[number]))
        self._lacking.discard(number)


def _is_of(table: pa.Table, items: range) -> bool:
    found = table["item"].to_numpy()
    return len(found) >= len(items) and np.array_equal(found, np.repeat(items, len(found) // len(items)))
