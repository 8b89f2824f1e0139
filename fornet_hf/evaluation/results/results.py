"""Results in files: a long CSV and JSON of all numbers, and the answers behind them as Parquet.

Writing again replaces the numbers of the same model, data, settings, measure and part, and keeps all others.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fornet_hf.arguments import check_keywords
from fornet_hf.errors import ConfigurationError, NotFoundError, PatchFormatError, explain
from fornet_hf.evaluation.answers.predictions import NOT_SHOWN, Predictions
from fornet_hf.evaluation.statistics.values import Value
from fornet_hf.files import atomic_path, write_text

CSV, JSON, PREDICTIONS = "results.csv", "results.json", "predictions.parquet"
COLUMNS = (
    *("model", "data", "split", "measure", "part", "value", "low", "high", "error", "n", "left_out", "note"),
    *("weights", "seed", "draws", "cells", "release", "precision", "version"),
)
_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Model and data behind numbers.

    Attributes:
        model: name of the classifier, as it was asked for.
        weights: their digest, 64 hexadecimal digits.
        data: name of the data, as it was asked for.
        split: of them.
        release: their fingerprint.
        seed: of draws and resamples.
        draws: backgrounds that each foreground was shown on.
        cells: "seen" or "canvas", as in the settings of an evaluation.
        precision: that the classifier computed in.
        version: of this library.
    """

    model: str
    weights: str
    data: str
    split: str
    release: str
    seed: int
    draws: int
    cells: str
    precision: str
    version: str

    @property
    def identity(self) -> tuple[object, ...]:
        """All that tells these numbers from others; a newer version replaces them."""
        return astuple(self)[:-1]

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Origin:
        """Return the origin in a row. Raises KeyError if it is none."""
        return cls(**{one.name: row[one.name] for one in fields(cls)})


@dataclass(frozen=True)
class Result:
    """A number and its origin."""

    origin: Origin
    value: Value

    @property
    def identity(self) -> tuple[object, ...]:
        """All that tells this number from others."""
        return (*self.origin.identity, self.value.measure, self.value.part)

    def row(self) -> dict[str, Any]:
        """Return the row of a table: the `COLUMNS`."""
        values = {**asdict(self.origin), **asdict(self.value), "left_out": dict(self.value.left_out)}
        return {name: values[name] for name in COLUMNS}

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Result:
        """Return the result in a row. Raises KeyError or TypeError if it is none."""
        return cls(Origin.of_row(row), Value(**{one.name: row[one.name] for one in fields(Value)}))


@dataclass(frozen=True, kw_only=True)
class Results:
    """Numbers of one evaluation or more.

    Attributes:
        results: the numbers, by model, then in the order of the measures.
        settings: of the last evaluation of each origin, a JSON object; `measures` and `commands` are of all of them.
        predictions: the answers of each model; empty where the results were read from files.
    """

    results: Sequence[Result]
    settings: Mapping[Origin, Mapping[str, Any]] = field(default_factory=dict)
    predictions: Sequence[tuple[Origin, Predictions]] = ()

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    def value(self, measure: str, part: str = "", model: str | None = None, **of: object) -> Value:
        """Return a number.

        Args:
            measure: its name.
            part: likewise.
            model: whose it is; None: it is the only one.
            of: other fields of its `Origin`, where it is not the only one: `data`, `split`, `seed`, ...

        Raises:
            NotFoundError: it was not measured.
            ConfigurationError: several are of these names, or `Origin` has no such field.
        """
        check_keywords(of, [one.name for one in fields(Origin)])
        wanted = of if model is None else {"model": model, **of}
        name = f"{measure} {part}".strip()
        named = [result for result in self.results if (result.value.measure, result.value.part) == (measure, part)]
        found = [one for one in named if all(getattr(one.origin, name) == value for name, value in wanted.items())]
        if not named:
            known = sorted({result.value.measure for result in self.results})
            raise NotFoundError(explain("this was not measured", found=name, allowed=known))
        if not found:
            raise NotFoundError(explain(f"{name} was not measured for {wanted}", allowed=_differing(named)))
        if len(found) > 1:
            what = f"{name} was measured {len(found)} times"
            raise ConfigurationError(explain(what, found=_differing(found), then="Say which, such as model=NAME."))
        return found[0].value

    def joined(self, newer: Results) -> Results:
        """Return these numbers with newer ones, which replace what they measured anew."""
        replaced = {result.identity for result in newer}
        kept = [result for result in self.results if result.identity not in replaced]
        there = {result.origin for result in kept}
        settings = {origin: found for origin, found in self.settings.items() if origin in there}
        settings |= {origin: _joined_settings(settings.get(origin, {}), of) for origin, of in newer.settings.items()}
        return replace(newer, results=[*kept, *newer.results], settings=settings)

    def csv(self) -> str:
        """Return the table as CSV: a line for each number; counts of what was left out are JSON."""
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for result in self.results:
            row = result.row()
            writer.writerow({**row, "left_out": json.dumps(row["left_out"], sort_keys=True)})
        return text.getvalue()

    def write(self, folder: Path) -> Results:
        """Write the files, each whole or not at all; return all results in the folder, with earlier ones.

        Raises:
            PatchFormatError: results are there that are damaged.
            StorageError: the disk is full, or cannot be written.
        """
        results = Results.earlier(folder).joined(self)
        answers = _joined_answers(folder / PREDICTIONS, self.predictions)
        document = {
            "format": _FORMAT,
            "settings": [{**asdict(origin), "settings": of} for origin, of in results.settings.items()],
            "results": [result.row() for result in results],
        }
        if answers is not None:
            with atomic_path(folder / PREDICTIONS) as temporary:
                pq.write_table(answers, temporary, compression="zstd")
        write_text(folder / CSV, results.csv())
        write_text(folder / JSON, json.dumps(document, indent=1) + "\n")
        return results

    @classmethod
    def earlier(cls, folder: Path) -> Results:
        """Return the results in a folder, none if there are none. Raises PatchFormatError if they are damaged."""
        return cls.read(folder) if (folder / JSON).is_file() else cls(results=[])

    @classmethod
    def read(cls, folder: Path) -> Results:
        """Return the results in a folder, without answers, which are in `predictions.parquet`.

        Raises:
            NotFoundError: there are none.
            PatchFormatError: they are damaged.
        """
        path = folder / JSON
        if not path.is_file():
            raise NotFoundError(explain(f"no results in {folder}", then="Make them: fornet evaluate --help"))
        try:
            document = json.loads(path.read_bytes())
            results = [Result.of_row(row) for row in document["results"]]
            settings = {Origin.of_row(row): dict(row["settings"]) for row in document["settings"]}
            return cls(results=results, settings=settings)
        except (ValueError, KeyError, TypeError) as error:
            then = "Delete the file, or name another folder."
            raise PatchFormatError(explain(f"{path}: damaged results", found=repr(error), then=then)) from error


def _differing(results: Sequence[Result]) -> dict[str, list[object]]:
    """Return what tells these results from each other: the values of each field of their origins that differs."""
    rows = [asdict(result.origin) for result in results]
    values = {name: list(dict.fromkeys(row[name] for row in rows)) for name in rows[0]}
    return {name: found for name, found in values.items() if len(found) > 1}


def _joined_settings(older: Mapping[str, Any], newer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the newer settings, with the lists (measures, commands) of both."""
    lists = {
        name: [*dict.fromkeys([*older.get(name, []), *newer.get(name, [])])] for name in ("measures", "commands")
    }
    return {**newer, **lists}


def predictions_table(origin: Origin, predictions: Predictions) -> pa.Table:
    """Return answers for people: a row for each item and condition; where none was given, `reason` tells why."""
    items, conditions = predictions.predicted.shape
    names = np.array([*predictions.class_names, "", ""], object)  # in the end those of NOT_SHOWN and NONE
    predicted = names[predictions.predicted.ravel()]
    missing, background = predictions.predicted.ravel() < 0, predictions.backgrounds.ravel()
    places = ((item, condition) for item in range(items) for condition in range(conditions))
    columns = {
        **{name: pa.repeat(pa.scalar(getattr(origin, name)), items * conditions) for name in _OF_RUN},
        "condition": list(predictions.conditions) * items,
        "key": np.repeat(np.array(predictions.keys, object), conditions),
        "source": np.repeat(np.array(predictions.sources, object), conditions),
        "label": np.repeat(names[predictions.labels], conditions),
        "predicted": pa.array(predicted, pa.string(), mask=missing),
        "probability": pa.array(predictions.probability.ravel(), pa.float32(), mask=_not_shown(predictions)),
        "background": pa.array(names[background], pa.string(), mask=background < 0),
        "background_key": predictions.background_keys.ravel().astype(object),
        "reason": [predictions.reasons.get(place, "") for place in places],
    }
    return pa.table(columns)


_OF_RUN = ("model", "weights", "data", "split", "release", "seed", "draws", "cells", "precision")


def _not_shown(predictions: Predictions) -> Any:
    return predictions.predicted.ravel() == NOT_SHOWN


def _joined_answers(path: Path, answers: Iterable[tuple[Origin, Predictions]]) -> pa.Table | None:
    """Return the table in the file, without what these answers replace, and these; None: nothing changes."""
    tables = [(origin, predictions_table(origin, predictions)) for origin, predictions in answers]
    if not tables:
        return None
    kept: list[pa.Table] = []
    with contextlib.suppress(FileNotFoundError, pa.ArrowInvalid, KeyError):  # answers can be made again
        kept = [pq.read_table(path).cast(tables[0][1].schema)]
    for origin, table in tables:
        kept = [older.filter(pc.invert(_same(older, origin, table))) for older in kept]
    return pa.concat_tables([*kept, *(table for _, table in tables)])


def _same(older: pa.Table, origin: Origin, table: pa.Table) -> Any:
    same = pc.is_in(older["condition"], value_set=table["condition"].unique())
    for name in _OF_RUN:
        same = pc.and_(same, pc.equal(older[name], getattr(origin, name)))
    return same
