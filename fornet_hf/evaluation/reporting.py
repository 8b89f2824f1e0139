"""From results to the report: models on the same data side by side, and the images that fooled them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fornet_hf.evaluation.classifier import Classifier
from fornet_hf.evaluation.report import Comparison, Measured, write
from fornet_hf.evaluation.report.examples import Example, fooled
from fornet_hf.evaluation.results import Origin, Results
from fornet_hf.evaluation.stimuli import Stimuli
from fornet_hf.evaluation.values import Value

_SHOWN = ("draws", "resamples", "cells", "precision")


def write_report(results: Results, classifiers: Sequence[Classifier], stimuli: Stimuli | None, folder: Path) -> Path:
    """Write the page of all results; return its path.

    Args:
        results: of this evaluation, which has answers, and of earlier ones.
        classifiers: of the answers.
        stimuli: that they were shown; None: there are no answers.
        folder: where the page goes.
    """
    examples: list[Example] = []
    if stimuli is not None:
        for classifier, (origin, predictions) in zip(classifiers, results.predictions, strict=True):
            examples += fooled(origin.model, predictions, stimuli, classifier.preprocessing)
    return write(comparisons(results), folder, examples=examples)


def comparisons(results: Results) -> list[Comparison]:
    """Return the models by the data that they were measured on; data of the last evaluation come first."""
    values: dict[Origin, list[Value]] = {}
    for result in results:
        values.setdefault(result.origin, []).append(result.value)
    groups: dict[tuple[str, str, str, int], list[Origin]] = {}
    for origin in values:
        groups.setdefault((origin.data, origin.split, origin.release, origin.seed), []).append(origin)
    last = {(origin.data, origin.split, origin.release, origin.seed) for origin, _ in results.predictions}
    made = []
    for group in sorted(groups, key=lambda group: group not in last):
        data, split, release, seed = group
        models = [
            Measured(
                model=origin.model,
                digest=origin.weights,
                values=values[origin],
                precision=origin.precision,
                version=origin.version,
            )
            for origin in groups[group]
        ]
        current = group in last
        settings = {name: str(results.settings[name]) for name in _SHOWN if current and name in results.settings}
        command = str(results.settings.get("command", "")) if current else ""
        made.append(
            Comparison(
                data=data,
                split=split,
                release=release,
                seed=seed,
                models=models,
                settings=settings,
                command=command,
            )
        )
    return made
