"""A table of runs, one row each: a CSV file beside their folders."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.files import write_text
from fornet_hf.locks import alone


def add_row(path: Path, row: Mapping[str, Any]) -> None:
    """Add a run's row to a table, or put it in the place of the one that the run had before.

    Columns that are new come last; a row is empty where it has no value. Of runs that end at the same time, each
    waits for those before it.

    Args:
        path: of the table, which need not be there.
        row: values by their columns, among them `run`.

    Raises:
        ConfigurationError: the file is another table, which stays as it is.
    """
    with alone(path.with_name(f".{path.name}.lock")):
        rows = read_rows(path)
        if rows and "run" not in rows[0]:
            then = "Move it elsewhere, then give the same command again."
            raise ConfigurationError(
                explain(f"{path} is no table of runs", found=", ".join(map(str, rows[0])), then=then)
            )
        kept = [one for one in rows if one["run"] != row["run"]]
        columns = dict.fromkeys(name for one in [*rows, row] for name in one)
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows([*kept, row])
        write_text(path, text.getvalue())


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table; none if it is not there."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
