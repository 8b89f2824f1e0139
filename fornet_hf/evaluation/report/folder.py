"""From results to the report: models on the same data side by side, each with its examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fornet_hf.evaluation.report import Comparison, Measured, write
from fornet_hf.evaluation.report.kept import Examples
from fornet_hf.evaluation.results.results import Origin, Results
from fornet_hf.evaluation.statistics.values import Value


def write_report(results: Results, examples: Examples, folder: Path) -> Path:
    """Write the page of all results to a folder; return its path."""
    return write(comparisons(results, examples), folder)


def comparisons(results: Results, examples: Examples | None = None) -> list[Comparison]:
    """Return the models by the data and settings that they were measured with; what was measured last comes first.

    Args:
        results: of one evaluation or more.
        examples: images of the models, by their origins.
    """
    values: dict[Origin, list[Value]] = {}
    for result in results:
        values.setdefault(result.origin, []).append(result.value)
    groups: dict[tuple[object, ...], list[Origin]] = {}
    for origin in values:
        shared = origin.data, origin.split, origin.release, origin.seed, origin.draws, origin.cells
        groups.setdefault(shared, []).append(origin)
    last = {result.origin: number for number, result in enumerate(results)}
    newest_first = sorted(groups.values(), key=lambda group: -max(last[origin] for origin in group))
    return [_comparison(group, values, examples or {}, results) for group in newest_first]


def _comparison(
    group: Sequence[Origin], values: Mapping[Origin, Sequence[Value]], examples: Examples, results: Results
) -> Comparison:
    models = [
        Measured(
            model=origin.model,
            digest=origin.weights,
            values=values[origin],
            precision=origin.precision,
            version=origin.version,
            examples=examples.get(origin, ()),
        )
        for origin in group
    ]
    first, settings = group[0], [results.settings.get(origin, {}) for origin in group]
    resamples = sorted({str(of["resamples"]) for of in settings if "resamples" in of})
    commands = dict.fromkeys(command for of in settings for command in of.get("commands", ()))
    return Comparison(
        data=first.data,
        split=first.split,
        release=first.release,
        seed=first.seed,
        models=models,
        settings={"draws": str(first.draws), "cells": first.cells, "resamples": ", ".join(resamples)},
        command="\n".join(commands),
    )
