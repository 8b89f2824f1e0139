"""Files of `fornet leakage`, read again: to leave out the worst backgrounds, and to say how good the others are."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.evaluation.leakage.values import SCORE
from fornet_hf.evaluation.leakage.written import COLUMNS, NUMBERS, TABLE
from fornet_hf.evaluation.statistics.values import Value


def read_scores(path: Path) -> dict[str, float]:
    """Return the scores in a table, by the key of the image.

    Raises:
        NotFoundError: there is no such file.
        ConfigurationError: it is no table of `fornet leakage`, or a score is no number.
    """
    text = _text(path, TABLE)
    table = csv.DictReader(io.StringIO(text, newline=""))  # splitlines would part names at other characters, too
    try:
        rows, columns = list(table), table.fieldnames or ()
    except csv.Error as error:
        raise _foreign(path, error, ", ".join(COLUMNS), TABLE) from error
    if tuple(columns) != COLUMNS:
        raise _foreign(path, columns or "nothing", ", ".join(COLUMNS), TABLE)
    scores: dict[str, float] = {}
    for number, row in enumerate(rows, start=2):
        try:
            scores[row["key"]] = float(row["score"])
        except (TypeError, ValueError) as error:
            raise _foreign(path, f"{row['score']!r} in line {number}", "a number as score", TABLE) from error
        if not math.isfinite(scores[row["key"]]):
            raise _foreign(path, f"{row['score']!r} in line {number}", "a finite number as score", TABLE)
    return scores


def read_numbers(path: Path) -> dict[str, Any]:
    """Return what `written.numbers` gave.

    Raises:
        NotFoundError: there is no such file.
        ConfigurationError: it is none of `fornet leakage`.
    """
    try:
        document = json.loads(_text(path, NUMBERS))
        document["settings"]["release"], document["settings"]["split"]
        _mean(document)
    except (ValueError, KeyError, TypeError, StopIteration) as error:
        raise _foreign(path, error, "values and settings", NUMBERS) from error
    found: dict[str, Any] = document
    return found


def sentence(document: dict[str, Any]) -> str:
    """Return what the numbers say, for a report: the mean score with its interval."""
    mean, split = _mean(document), document["settings"]["split"]
    interval = f" ({mean.low:.2f} to {mean.high:.2f})" if mean.low is not None and mean.high is not None else ""
    value = "none" if mean.value is None else f"{mean.value:.2f}"
    return (
        f"leakage of {split}: mean score {value}{interval} of {mean.n:,} backgrounds; "
        "0 is that of shuffled pairs, whose deviation is 1"
    )


def _mean(document: dict[str, Any]) -> Value:
    return next(Value.from_json(one) for one in document["values"] if (one["measure"], one["part"]) == (SCORE, ""))


def _text(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        then = f"`fornet leakage` writes {name} into its folder."
        raise NotFoundError(
            explain("the scores of leakage are missing", found=f"no file {path}", then=then)
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise _foreign(path, error, "a text file", name) from error


def _foreign(path: Path, found: object, allowed: str, name: str) -> ConfigurationError:
    then = f"Give the {name} that `fornet leakage` wrote."
    return ConfigurationError(
        explain(f"{path}: not written by fornet leakage", found=found, allowed=allowed, then=then)
    )
