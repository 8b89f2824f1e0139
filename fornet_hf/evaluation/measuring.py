"""An evaluation at work: numbers by model and measure as they come, and the files that keep them meanwhile."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from fornet_hf.evaluation.answers.device import chosen_device, on_device
from fornet_hf.evaluation.answers.parts import FOLDER
from fornet_hf.evaluation.answers.predicting import Subject, predict_all, seen_alike
from fornet_hf.evaluation.answers.predictions import Predictions
from fornet_hf.evaluation.choosing import Kind, conditions_of, is_experiment
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.data.opening import Data
from fornet_hf.evaluation.measures.focus import ForegroundFocus
from fornet_hf.evaluation.report.examples import Example, fooled, salient
from fornet_hf.evaluation.report.kept import Examples
from fornet_hf.evaluation.results.origin import Origin, Origins
from fornet_hf.evaluation.results.results import Results
from fornet_hf.evaluation.results.rows import Result
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from fornet_hf.evaluation.statistics.values import Value
from fornet_hf.ranks import Ranks


class Measuring:
    """Classifiers that are measured on data.

    Args:
        subjects: the classifiers.
        kinds: the measures.
        data: which lack nothing.
        config: all settings.
        folder: of the results; None: nothing is kept.
        ranks: the processes that share the work.
        run: what else there is to say of this evaluation, see `Results.runs`.
    """

    def __init__(
        self,
        subjects: Sequence[Subject],
        kinds: Sequence[Kind],
        data: Data,
        config: EvaluationConfig,
        folder: Path | None,
        ranks: Ranks,
        run: Mapping[str, Any],
    ) -> None:
        self._subjects, self._kinds, self._data, self._config = subjects, kinds, data, config
        self._folder, self._ranks, self._run = folder, ranks, run
        self._origins = Origins(data, config)
        self._origin_of = {
            (number, kind.name): self._origins.of(subject, _settings(kind, config))
            for number, subject in enumerate(subjects)
            for kind in kinds
        }
        self._values: dict[Origin, Sequence[Value]] = {}
        self._answers: dict[int, tuple[Origin, Predictions]] = {}
        self._kept = 0  # answers in the folder
        self._shown = [kind for kind in kinds if not is_experiment(kind)]
        self._stimuli = data.stimuli(conditions_of(self._shown, data), config) if self._shown else None

    def predict(self) -> None:
        """Show what the measures need to all classifiers, and take the numbers that follow."""
        if self._stimuli is None:
            return
        bootstrap = Bootstrap(self._config.seed, self._config.resamples)
        for numbers in seen_alike(self._subjects):
            self._keep()
            some = [self._subjects[number] for number in numbers]
            given = predict_all(some, self._stimuli, self._config, self._folder, self._ranks)
            for number, subject, predictions in zip(numbers, some, given, strict=True):
                self._answers[number] = self._origins.of(subject, _of_shown(self._config)), predictions
                for kind in self._shown:
                    self._values[self._origin_of[number, kind.name]] = kind.values(predictions, bootstrap)

    def experiment(self) -> None:
        """Run the experiments of each classifier."""
        device = chosen_device(self._config.device)
        for kind, (number, subject) in product(filter(is_experiment, self._kinds), enumerate(self._subjects)):
            self._keep()
            origin = self._origin_of[number, kind.name]
            own = self._folder and self._folder / _folder_of(kind.name, origin)
            with on_device([subject.classifier.network], device):
                self._values[origin] = kind.run(*subject, self._data, self._config, own, self._ranks)

    def results(self) -> Results:
        """Return what is measured so far, by model, then in the order of the measures."""
        done = {of: self._subjects[number] for (number, _), of in self._origin_of.items() if of in self._values}
        return Results(
            results=[Result(origin, value) for origin in done for value in self._values[origin]],
            settings=self._origins.settings,
            runs={origin: {**self._run, "label_map": subject.label_map.note} for origin, subject in done.items()},
            predictions=[self._answers[number] for number in sorted(self._answers)],
        )

    def examples(self) -> Examples:
        """Return images with what the classifiers look at, and images that fooled them."""
        found: dict[Origin, list[Example]] = {
            self._origin_of[number, kind.name]: [*salient(kind.examples(*subject, self._data, self._config))]
            for kind in self._kinds
            for number, subject in enumerate(self._subjects)
            if isinstance(kind, ForegroundFocus)
        }
        if self._stimuli is not None:
            for number, (origin, given) in sorted(self._answers.items()):
                preprocessing = self._subjects[number].classifier.preprocessing
                found[origin] = [*fooled(given, self._stimuli, preprocessing)]
        return found

    def clear(self) -> None:
        """Delete what would let the evaluation go on, and folders of experiments without files."""
        if self._folder is None:
            return
        own = [self._folder / _folder_of(name, origin) for (_, name), origin in self._origin_of.items()]
        for place in (self._folder, *own):
            shutil.rmtree(place / FOLDER, ignore_errors=True)
            if place != self._folder:
                with contextlib.suppress(OSError):  # files are there
                    place.rmdir()
                    place.parent.rmdir()

    def _keep(self) -> None:
        """Write what is measured so far, so that an error of what comes next loses none of it."""
        results = self.results()
        if self._folder and self._ranks.first and results.has_numbers:
            new = len(self._answers) > self._kept
            (results if new else replace(results, predictions=())).write(self._folder)
            self._kept = len(self._answers)


def _of_shown(config: EvaluationConfig) -> dict[str, Any]:
    """Return what answers depend on beside model, data, seed and condition."""
    return {"draws": config.draws, "cells": config.cells}


def _settings(kind: Kind, config: EvaluationConfig) -> dict[str, Any]:
    """Return what the numbers of a measure depend on beside model, data and seed."""
    drawn = {} if is_experiment(kind) else {"draws": config.draws}
    return {"measure": kind.name, **drawn, **kind.settings}


def _folder_of(kind: str, origin: Origin) -> str:
    """Return the name of the folder for a model's own files of an experiment, in that of the results."""
    return f"{kind}/" + re.sub(r"[^\w.-]+", "_", f"{origin.model}-{origin.name}").strip("_.-")
