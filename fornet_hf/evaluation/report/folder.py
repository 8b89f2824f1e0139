"""From results to the report: models on the same data side by side, each with its examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fornet_hf.evaluation.report import Comparison, Measured, write
from fornet_hf.evaluation.report.comparison import Compared
from fornet_hf.evaluation.report.examples import Example
from fornet_hf.evaluation.report.kept import Examples
from fornet_hf.evaluation.results.origin import Origin, model_of, names_apart, shared
from fornet_hf.evaluation.results.results import Results
from fornet_hf.evaluation.statistics.values import Value

_DATA = ("data", "split", "release", "seed")
_USUAL = ("draws", "cells", "sizes", "resamples")  # settings that every reader wants to know, in this order


def write_report(results: Results, examples: Examples, folder: Path) -> Path:
    """Write the page of all results to a folder; return its path."""
    return write(comparisons(results, examples), folder)


def comparisons(results: Results, examples: Examples | None = None) -> list[Comparison]:
    """Return the models by the data and settings that they were measured with; what was measured last comes first.

    Measures whose settings do not contradict each other stand together.

    Args:
        results: of one evaluation or more.
        examples: images of the models, by their origins.
    """
    values: dict[Origin, list[Value]] = {}
    for result in results:
        values.setdefault(result.origin, []).append(result.value)
    last = {result.origin: number for number, result in enumerate(results)}
    chapters: list[_Chapter] = []
    for origin in sorted(values, key=lambda origin: -last[origin]):
        settings = results.settings.get(origin.settings, {})
        chapter = next((one for one in chapters if one.agrees(origin, settings)), None)
        if chapter is None:
            chapter = _Chapter()
            chapters.append(chapter)
        chapter.add(origin, settings)
    for origin, images in (examples or {}).items():
        settings = results.settings.get(origin.settings, {})
        chapter = next((one for one in chapters if one.agrees(origin, settings)), None)
        if chapter is not None:
            chapter.examples.setdefault(_key(origin, settings), []).extend(images)
    return [chapter.comparison(values, results) for chapter in chapters]


class _Chapter:
    """Origins of one set of data whose settings agree."""

    def __init__(self) -> None:
        self.origins: list[Origin] = []
        self.known: dict[str, Any] = {}
        self.examples: dict[str, list[Example]] = {}

    def agrees(self, origin: Origin, settings: Mapping[str, Any]) -> bool:
        """Return whether the data and settings are those of the chapter, as far as it has any."""
        return all(self.known.get(name, value) == value for name, value in _shared(origin, settings).items())

    def add(self, origin: Origin, settings: Mapping[str, Any]) -> None:
        """Take an origin into the chapter."""
        self.origins.append(origin)
        self.known |= _shared(origin, settings)

    def comparison(self, values: Mapping[Origin, Sequence[Value]], results: Results) -> Comparison:
        """Return the chapter, the models in the order of the results."""
        found: dict[str, list[Origin]] = {}
        for origin in (one for one in values if one in self.origins):
            found.setdefault(_key(origin, results.settings.get(origin.settings, {})), []).append(origin)
        described = [model_of(of[0], results.settings.get(of[0].settings, {})) for of in found.values()]
        models = [
            Measured(
                model=name,
                digest=of[0].weights,
                values=[value for origin in of for value in values[origin]],
                precision=of[0].precision,
                version=", ".join(sorted({origin.version for origin in of})),
                examples=self.examples.get(key, ()),
            )
            for name, (key, of) in zip(names_apart(described), found.items(), strict=True)
        ]
        number = {origin: place for place, of in enumerate(found.values()) for origin in of}
        runs = [results.runs.get(origin, {}) for of in found.values() for origin in of]
        resamples = sorted({str(run["resamples"]) for run in runs if "resamples" in run})
        settings = {name: _words(of) for name, of in self.known.items() if name not in _DATA}
        settings["resamples"] = ", ".join(resamples)
        first = [name for name in _USUAL if name in settings]
        return Comparison(
            **{name: self.known[name] for name in _DATA},
            models=models,
            settings={name: settings[name] for name in dict.fromkeys([*first, *settings])},
            differences=[
                Compared(number[one.model], number[one.other], one.value)
                for one in results.differences
                if one.model in number and one.other in number
            ],
            command="\n".join(dict.fromkeys(run["command"] for run in runs if run.get("command"))),
        )


def _key(origin: Origin, settings: Mapping[str, Any]) -> str:
    return repr(model_of(origin, settings))


def _shared(origin: Origin, settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shared(origin, settings).items() if name != "measure"}


def _words(setting: Any) -> str:
    """Return a setting in words: lists and objects without their brackets."""
    if isinstance(setting, Mapping):
        return ", ".join(f"{name} {_words(value)}" for name, value in setting.items() if value is not None)
    if isinstance(setting, Sequence) and not isinstance(setting, str):
        return ", ".join(map(_words, setting))
    return f"{setting:g}" if isinstance(setting, float) else str(setting)
