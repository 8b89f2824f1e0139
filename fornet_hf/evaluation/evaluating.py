"""Evaluation: models, data and measures joined, from their names to results in a folder."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fornet_hf.errors import ConfigurationError, SourceError, explain
from fornet_hf.evaluation.answers.device import chosen_device, on_device
from fornet_hf.evaluation.answers.parts import FOLDER
from fornet_hf.evaluation.answers.predicting import predict_all
from fornet_hf.evaluation.answers.ranks import joined_ranks
from fornet_hf.evaluation.choosing import Kind, check_fit, chosen, conditions_of, is_experiment
from fornet_hf.evaluation.configuration import EvaluationConfig, Settings
from fornet_hf.evaluation.data.opening import open_data
from fornet_hf.evaluation.measures.focus import ForegroundFocus
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.report.examples import Example, fooled, salient
from fornet_hf.evaluation.report.folder import write_report
from fornet_hf.evaluation.report.kept import Examples, write_examples
from fornet_hf.evaluation.report.wording import of_class
from fornet_hf.evaluation.results.model_index import dataset_type, write_headers
from fornet_hf.evaluation.results.origin import Origin, Origins
from fornet_hf.evaluation.results.results import Results
from fornet_hf.evaluation.results.rows import Result
from fornet_hf.evaluation.saliency.configuration import SaliencyConfig
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from fornet_hf.evaluation.statistics.values import Value
from fornet_hf.evaluation.subjects import Labels, Models, subjects_of
from fornet_hf.packages import needing

if TYPE_CHECKING:
    from typing_extensions import Unpack


def evaluate(
    models: Models,
    data: Any,
    measures: str | Iterable[str | Kind] | None = None,
    *,
    config: EvaluationConfig | None = None,
    preprocessing: Preprocessing | None = None,
    saliency: SaliencyConfig | None = None,
    output: str | Path | None = None,
    split: str = "validation",
    imagenet_dir: str | Path | None = None,
    cache_dir: str | Path | None = None,
    revision: str | None = None,
    labels: Labels | None = None,
    trust_remote_code: bool = False,
    command: str = "",
    **settings: Unpack[Settings],
) -> Results:
    """Measure classifiers on data.

    All images that the measures need are made once for all models that see them alike. Started by torchrun, the
    processes share the images; the first writes the results.

    Args:
        models: names, as `fornet_hf.evaluation.load` takes them, classifiers, or networks of torch; one or more, or a
            mapping from the names that they get in the results.
        data: see `open_data`.
        measures: names, or measures; None: all that the data allow.
        config: seed, draws, batches, precision, device, ...; or give its fields as keywords: `seed=3`.
        preprocessing: of networks, which do not say which images they expect.
        saliency: settings of focus.
        output: folder for results, answers and report. Rows of other models and data in it stay. Until all is
            measured it keeps what is done, and another call goes on with that. None: nothing is written.
        split: `train` or `validation`.
        imagenet_dir: the images, if the data are patches.
        cache_dir: where prepared rows are kept; default: that of `datasets`.
        revision: branch, tag or commit of data on the Hub.
        labels: file with the class that each output of the classifiers means; or a file by a model's name.
        trust_remote_code: run the code of a repository of torchhub or of the Hub.
        command: that was typed, for the report.
        **settings: the fields of `EvaluationConfig`, in the place of `config`.

    Returns:
        The results of this evaluation; `Results.read(output)` returns all that are in the folder.

    Raises:
        PatchFormatError: `output` has results that are damaged.
        ConfigurationError: a name or setting is not allowed, or the data lack what a measure needs.
        ForNetError: models, data or the disk are not as they must be. Earlier results stay as they are.
    """
    config = EvaluationConfig.of(config, settings)
    folder = None if output is None else Path(output)
    if folder is not None:
        Results.earlier(folder)  # damaged ones are told before anything is shown
    with needing("evaluation", "torch"):
        device = chosen_device(config.device)
    opened = open_data(data, split, imagenet_dir=imagenet_dir, cache_dir=cache_dir, revision=revision)
    kinds = chosen(measures, opened, config, saliency)
    subjects = subjects_of(
        models, opened, preprocessing=preprocessing, labels=labels, trust_remote_code=trust_remote_code
    )
    check_fit(kinds, [subject.classifier for subject in subjects], config, asked=measures is not None)
    with joined_ranks() as ranks:
        if ranks.count > 1 and folder is None:
            then = "Name one that all of them see: output=FOLDER"
            raise ConfigurationError(explain("processes of torchrun share their work in a folder", then=then))
        shown = [kind for kind in kinds if not is_experiment(kind)]
        stimuli = opened.stimuli(conditions_of(shown, opened), config) if shown else None
        predictions = predict_all(subjects, stimuli, config, folder, ranks) if stimuli is not None else []
        origins = Origins(opened, config)
        measured_as = {
            (number, kind.name): origins.of(subject, _settings(kind, config))
            for number, subject in enumerate(subjects)
            for kind in kinds
        }
        shown_to = zip(subjects, predictions, strict=False)  # without predictions, to nobody
        answers = [(origins.of(subject, _of_shown(config)), given) for subject, given in shown_to]
        run = {**config.to_json(), "command": command, "dataset": dataset_type(opened.name), "revision": revision}
        bootstrap = Bootstrap(config.seed, config.resamples)
        values = {
            measured_as[number, kind.name]: kind.values(given, bootstrap)
            for number, given in enumerate(predictions)
            for kind in shown
        }

        def so_far() -> Results:
            """Return what is measured, by model, then in the order of the measures."""
            done = {of: subjects[number] for (number, _), of in measured_as.items() if of in values}
            return Results(
                results=[Result(origin, value) for origin in done for value in values[origin]],
                settings=origins.settings,
                runs={origin: {**run, "label_map": subject.label_map.note} for origin, subject in done.items()},
                predictions=answers,
            )

        for kind, (number, subject) in product(filter(is_experiment, kinds), enumerate(subjects)):
            if folder and ranks.first and _has_numbers(so_far()):
                so_far().write(folder)  # so that an error of a later one loses none of them
            origin = measured_as[number, kind.name]
            own = folder and folder / _folder_of(kind.name, origin)
            with on_device([subject.classifier.network], device):
                values[origin] = kind.run(*subject, opened, config, own, ranks)
        measured = so_far().compared(_of_whole_sets)
        _check(measured, opened.name)
        ranks.wait()  # until all have read what the first clears away
        if folder is None or not ranks.first:
            return measured
        examples: dict[Origin, list[Example]] = {
            measured_as[number, kind.name]: [*salient(kind.examples(*subject, opened, config))]
            for kind in kinds
            for number, subject in enumerate(subjects)
            if isinstance(kind, ForegroundFocus)
        }
        if stimuli is not None:
            for subject, (origin, given) in zip(subjects, answers, strict=True):
                examples[origin] = [*fooled(given, stimuli, subject.classifier.preprocessing)]
        _write(measured, examples, folder)
        _clear(folder, [_folder_of(name, origin) for (_, name), origin in measured_as.items()])
        return measured


def _check(measured: Results, data: str) -> None:
    """Raise SourceError if no measure gave a number."""
    if not _has_numbers(measured):
        reasons = {reason: n for result in measured for reason, n in result.value.left_out.items()}
        found = ", ".join(f"{n:,} {reason}" for reason, n in reasons.items()) or "no images"
        then = "Look at the images, and at the names of the folders."
        raise SourceError(explain(f"no measure gives a number on {data}", found=found, then=then))


def _write(measured: Results, examples: Examples, folder: Path) -> None:
    """Write results, headers of cards, examples and the page, each with what the folder has from earlier."""
    every = measured.write(folder)
    write_headers(folder, replace(every, results=[one for one in every if _of_whole_sets(one.value)]))
    write_report(every, write_examples(folder, examples), folder)


def _of_whole_sets(value: Value) -> bool:
    return of_class(value.measure, value.part) is None


def _has_numbers(results: Results) -> bool:
    return any(result.value.value is not None for result in results)


def _clear(folder: Path, own: Iterable[str]) -> None:
    """Delete what would let the evaluation go on, now that it is over, and folders of experiments without files."""
    for place in (folder, *(folder / name for name in own)):
        shutil.rmtree(place / FOLDER, ignore_errors=True)
        if place != folder:
            with contextlib.suppress(OSError):  # files are there
                place.rmdir()
                place.parent.rmdir()


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
