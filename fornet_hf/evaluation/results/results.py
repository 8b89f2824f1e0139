"""Results in files: a long CSV and JSON of all numbers, and the answers behind them as Parquet.

Writing again replaces all numbers of the same origins (measure, model, data and settings), and keeps all others.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from fornet_hf.arguments import check_keywords
from fornet_hf.errors import ConfigurationError, NotFoundError, PatchFormatError, explain
from fornet_hf.evaluation.answers.predictions import Predictions
from fornet_hf.evaluation.results.answers import joined_answers
from fornet_hf.evaluation.results.origin import Origin, shared
from fornet_hf.evaluation.results.rows import COLUMNS, OF_DIFFERENCE, Difference, Result
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from fornet_hf.evaluation.statistics.differences import differences
from fornet_hf.evaluation.statistics.values import Value
from fornet_hf.files import atomic_path, stored, write_text
from fornet_hf.locks import alone
from fornet_hf.packages import needing

CSV, JSON, PREDICTIONS = "results.csv", "results.json", "predictions.parquet"
DIFFERENCES = "differences.csv"
_FORMAT = 2
_NAMED = 16  # parts that an error names


@dataclass(frozen=True, kw_only=True)
class Results:
    """Numbers of one evaluation or more.

    Attributes:
        results: the numbers, by model, then in the order of the measures.
        settings: behind the numbers, JSON objects by their digests, which origins have.
        runs: of each origin, what else there is to say of the evaluation that measured it last: its command, the
            number of resamples, ...
        predictions: the answers of each model; empty where the results were read from files.
        differences: of models that were measured together.
    """

    results: Sequence[Result]
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    runs: Mapping[Origin, Mapping[str, Any]] = field(default_factory=dict)
    predictions: Sequence[tuple[Origin, Predictions]] = ()
    differences: Sequence[Difference] = ()

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    @property
    def has_numbers(self) -> bool:
        """True if any value is defined."""
        return any(result.value.value is not None for result in self.results)

    def value(self, measure: str, part: str = "", model: str | None = None, **of: object) -> Value:
        """Return a number.

        Args:
            measure: its name.
            part: likewise.
            model: whose it is; None: it is the only one.
            of: what tells it from others of these names: `data`, `split`, `seed`, ... of its origin, or one of its
                settings, such as `cells="canvas"`.

        Raises:
            NotFoundError: it was not measured.
            ConfigurationError: several are of these names, or none has a field or setting of this name.
        """
        return self._result(measure, part, model, of).value

    def difference(self, measure: str, part: str = "", *, model: str, other: str, **of: object) -> Value:
        """Return a model's number less another's, with the interval of this difference.

        Both were measured in one evaluation. The source images of both are resampled together, so the interval
        tells more than the intervals of the two numbers.

        Args:
            measure: its name.
            part: likewise.
            model: whose number it is.
            other: whose number is taken from it.
            of: as in `value`.

        Raises:
            NotFoundError: one was not measured.
            ConfigurationError: several are of these names, or the two were not measured on the same images.
        """
        one, two = (self._result(measure, part, name, of) for name in (model, other))
        if self._shared(one.origin) != self._shared(two.origin):
            rows = [dict(self._shared(result.origin)) for result in (one, two)]
            what = "only numbers of the same data and settings have a difference"
            raise ConfigurationError(explain(what, found=_differing(rows)))
        if None in (one.value.evidence, two.value.evidence):
            found, then = f"numbers of {model} and {other}", "Evaluate both models in one call."
            raise ConfigurationError(explain("the answers behind these numbers are gone", found=found, then=then))
        return differences([(one.value, two.value)], self._bootstrap(one.origin))[0]

    def compared(self, wanted: Callable[[Value], bool]) -> Results:
        """Return the results with the differences of each model and the first one of the same data and settings.

        Args:
            wanted: says of a value whether it is compared.
        """
        values: dict[Origin, dict[tuple[str, str], Value]] = {}
        for result in self.results:
            values.setdefault(result.origin, {})[result.value.measure, result.value.part] = result.value
        found: list[Difference] = []
        firsts: dict[str, Origin] = {}
        for origin, own in values.items():
            first = firsts.setdefault(json.dumps(self._shared(origin)), origin)
            if first != origin:
                names = [name for name, value in own.items() if wanted(value) and name in values[first]]
                pairs = [(own[name], values[first][name]) for name in names]
                made = differences(pairs, self._bootstrap(origin))
                found += (Difference(origin, first, value) for value in made)
        return replace(self, differences=found)

    def _shared(self, origin: Origin) -> dict[str, Any]:
        return shared(origin, self.settings.get(origin.settings, {}))

    def _bootstrap(self, origin: Origin) -> Bootstrap:
        return Bootstrap(origin.seed, self.runs.get(origin, {}).get("resamples", Bootstrap.resamples))

    def _result(self, measure: str, part: str, model: str | None, of: Mapping[str, object]) -> Result:
        """Return the only result of these names; raise as `value`."""
        name = f"{measure} {part}".strip()
        named = [one for one in self.results if (one.value.measure, one.value.part) == (measure, part)]
        if not named:
            parts = dict.fromkeys(one.value.part for one in self.results if one.value.measure == measure)
            if parts:  # the first ones, as classes come last
                allowed = [*parts][:_NAMED]
                raise NotFoundError(explain(f"{measure} has no such part", found=repr(part), allowed=allowed))
            known = sorted({result.value.measure for result in self.results})
            raise NotFoundError(explain("this was not measured", found=name, allowed=known))
        rows = [{**self.settings.get(one.origin.settings, {}), **asdict(one.origin)} for one in named]
        check_keywords(of, {key for row in rows for key in row})
        wanted = of if model is None else {"model": model, **of}
        places = [place for place, row in enumerate(rows) if all(row.get(key) == wanted[key] for key in wanted)]
        if not places:
            raise NotFoundError(explain(f"{name} was not measured for {wanted}", allowed=_differing(rows)))
        if len(places) > 1:
            found = _differing([rows[place] for place in places])
            then = "Say which, such as model=NAME."
            raise ConfigurationError(explain(f"{name} was measured {len(places)} times", found=found, then=then))
        return named[places[0]]

    def rows(self) -> list[dict[str, Any]]:
        """Return the table as a list of rows: the columns of `results.csv`, with None where a number is missing."""
        return [result.row() for result in self.results]

    def to_pandas(self) -> Any:
        """Return the table as a DataFrame of pandas.

        Raises:
            MissingDependencyError: pandas is not installed.
        """
        with needing("to_pandas", "pandas"):
            import pandas as pd
        return pd.DataFrame(self.rows(), columns=list(COLUMNS))

    def joined(self, newer: Results) -> Results:
        """Return these numbers with newer ones, which replace all of their origins."""
        replaced = {origin.identity for origin in (*newer.runs, *(result.origin for result in newer))}
        kept = [result for result in self.results if result.origin.identity not in replaced]
        runs = {origin: of for origin, of in self.runs.items() if origin.identity not in replaced}
        return replace(
            newer,
            results=[*kept, *newer.results],
            settings={**self.settings, **newer.settings},
            runs={**runs, **newer.runs},
            differences=[
                *(one for one in self.differences if replaced.isdisjoint((one.model.identity, one.other.identity))),
                *newer.differences,
            ],
        )

    def csv(self) -> str:
        """Return the table as CSV: a line for each number; counts of what was left out are JSON."""
        return _csv(COLUMNS, self.rows())

    def write(self, folder: str | Path) -> Results:
        """Write the files, each whole or not at all; return all results in the folder, with earlier ones.

        Of processes that write at the same time, each waits for those before it.

        Raises:
            PatchFormatError: results are there that are damaged.
            StorageError: the disk is full, or cannot be written.
        """
        folder = Path(folder)
        with stored(folder), alone(folder / ".results.lock"):
            return self._write(folder)

    def _write(self, folder: Path) -> Results:
        results = Results.earlier(folder).joined(self)
        answers = joined_answers(folder / PREDICTIONS, self.predictions)
        document = {
            "format": _FORMAT,
            "settings": results.settings,
            "runs": [{**asdict(origin), "run": of} for origin, of in results.runs.items()],
            "results": results.rows(),
            "differences": [one.to_json() for one in results.differences],
        }
        if answers is not None:
            with atomic_path(folder / PREDICTIONS) as temporary:
                pq.write_table(answers, temporary, compression="zstd")
        write_text(folder / CSV, results.csv())
        if results.differences:
            write_text(folder / DIFFERENCES, _csv(OF_DIFFERENCE, [one.row() for one in results.differences]))
        else:
            (folder / DIFFERENCES).unlink(missing_ok=True)
        write_text(folder / JSON, json.dumps(document, indent=1) + "\n")
        return results

    @classmethod
    def earlier(cls, folder: Path) -> Results:
        """Return the results in a folder, none if there are none. Raises PatchFormatError if they are damaged."""
        return cls.read(folder) if (folder / JSON).is_file() else cls(results=[])

    @classmethod
    def read(cls, folder: str | Path) -> Results:
        """Return the results in a folder, without answers, which are in `predictions.parquet`.

        Raises:
            NotFoundError: there are none.
            PatchFormatError: they are damaged, or of another version of this library.
        """
        path = Path(folder).expanduser() / JSON
        if not path.is_file():
            raise NotFoundError(explain(f"no results in {folder}", then="Make them: fornet evaluate --help"))
        then = "Delete the file, or name another folder."
        try:
            document = json.loads(path.read_bytes())
            if (found := document["format"]) != _FORMAT:
                raise PatchFormatError(explain(f"{path}: unknown format", found=found, allowed=_FORMAT, then=then))
            results = [Result.of_row(row) for row in document["results"]]
            runs = {Origin.of_row(row): dict(row["run"]) for row in document["runs"]}
            between = [Difference.from_json(one) for one in document["differences"]]
            return cls(results=results, settings={**document["settings"]}, runs=runs, differences=between)
        except PatchFormatError:
            raise
        except (ValueError, KeyError, TypeError) as error:
            raise PatchFormatError(explain(f"{path}: damaged results", found=repr(error), then=then)) from error


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({**row, "left_out": json.dumps(row["left_out"], sort_keys=True)})
    return text.getvalue()


def _differing(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return what tells rows from each other: the values of each column that differs."""
    found: dict[str, list[Any]] = {}
    apart = len({row.get("model") for row in rows}) == len({(row.get("model"), row.get("weights")) for row in rows})
    hidden = ("settings", "weights") if apart else ("settings",)  # names say more than digests
    for name in dict.fromkeys(name for row in rows for name in row if name not in hidden):
        values = [row.get(name) for row in rows]
        if any(value != values[0] for value in values):
            found[name] = [value for place, value in enumerate(values) if value not in values[:place]]
    return found
