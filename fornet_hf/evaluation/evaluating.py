"""Evaluation: models, data and measures joined, from their names to results in a folder."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fornet_hf import __version__
from fornet_hf.errors import ConfigurationError, SourceError, explain
from fornet_hf.evaluation.answers.device import chosen_device, on_device
from fornet_hf.evaluation.answers.parts import FOLDER
from fornet_hf.evaluation.answers.predicting import Subject, predict_all
from fornet_hf.evaluation.answers.ranks import joined_ranks
from fornet_hf.evaluation.choosing import Kind, check_fit, chosen, conditions_of, is_experiment
from fornet_hf.evaluation.configuration import EvaluationConfig, Settings
from fornet_hf.evaluation.data.opening import Data, open_data
from fornet_hf.evaluation.measures.focus import ForegroundFocus
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.report.examples import Example, fooled, salient
from fornet_hf.evaluation.report.folder import write_report
from fornet_hf.evaluation.report.kept import write_examples
from fornet_hf.evaluation.results.model_index import write_headers
from fornet_hf.evaluation.results.results import Origin, Result, Results
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from fornet_hf.evaluation.subjects import Labels, Models, subjects_of
from fornet_hf.packages import needing

if TYPE_CHECKING:
    from typing_extensions import Unpack


def evaluate(
    models: Models,
    data: Any,
    measures: Iterable[str | Kind] | None = None,
    *,
    config: EvaluationConfig | None = None,
    preprocessing: Preprocessing | None = None,
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
    kinds = chosen(measures, opened, config)
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
        origins = [_origin(subject.classifier, opened, config) for subject in subjects]
        answers = list(zip(origins, predictions, strict=True)) if predictions else []
        used = {
            **config.to_json(),
            "measures": [kind.name for kind in kinds],
            "commands": [command] if command else [],
        }
        settings_of = {
            origin: {**used, "label_map": subject.label_map.note}
            for subject, origin in zip(subjects, origins, strict=True)
        }
        bootstrap = Bootstrap(config.seed, config.resamples)
        values = {(origin, kind.name): kind.values(given, bootstrap) for origin, given in answers for kind in shown}

        def so_far() -> Results:
            """Return what is measured, by model, then in the order of the measures."""
            names = [(origin, kind.name) for origin in origins for kind in kinds]
            results = (Result(name[0], value) for name in names for value in values.get(name, ()))
            each = {result.identity: result for result in results}
            return Results(results=list(each.values()), settings=settings_of, predictions=answers)

        for kind, (subject, origin) in product(filter(is_experiment, kinds), zip(subjects, origins, strict=True)):
            if folder and ranks.first and _has_numbers(so_far()):
                so_far().write(folder)  # so that an error of a later one loses none of them
            own = folder and folder / _folder_of(kind, origin)
            with on_device([subject.classifier.network], device):
                values[origin, kind.name] = kind.run(*subject, opened, config, own, ranks)
        measured = so_far()
        if not _has_numbers(measured):
            reasons = {reason: n for result in measured for reason, n in result.value.left_out.items()}
            found = ", ".join(f"{n:,} {reason}" for reason, n in reasons.items()) or "no images"
            then = "Look at the images, and at the names of the folders."
            raise SourceError(explain(f"no measure gives a number on {opened.name}", found=found, then=then))
        ranks.wait()  # until all have read what the first clears away
        if folder is None or not ranks.first:
            return measured
        every = measured.write(folder)
        write_headers(folder, ((result.origin, result.value) for result in every.results))
        examples = {
            origin: _examples(subject, kinds, opened, config)
            for subject, origin in zip(subjects, origins, strict=True)
        }
        if stimuli is not None:
            for subject, (origin, given) in zip(subjects, answers, strict=True):
                examples[origin] += fooled(given, stimuli, subject.classifier.preprocessing)
        write_report(every, write_examples(folder, examples), folder)
        _clear(folder, [_folder_of(kind, origin) for kind in kinds for origin in origins])
        return measured


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


def _examples(subject: Subject, kinds: Sequence[Kind], data: Data, config: EvaluationConfig) -> list[Example]:
    """Return images with what a classifier looks at, if that was measured."""
    focus = next((kind for kind in kinds if isinstance(kind, ForegroundFocus)), None)
    return [] if focus is None else [*salient(focus.examples(*subject, data, config))]


def _origin(classifier: Classifier, data: Data, config: EvaluationConfig) -> Origin:
    return Origin(
        model=classifier.name,
        weights=classifier.identity.digest,
        data=data.name,
        split=data.split,
        release=data.fingerprint,
        seed=config.seed,
        draws=config.draws,
        cells=config.cells,
        precision=config.precision,
        version=__version__,
    )


def _folder_of(kind: Kind, origin: Origin) -> str:
    """Return the name of the folder for a model's own files of an experiment, in that of the results."""
    return f"{kind.name}/" + re.sub(r"[^\w.-]+", "_", f"{origin.model}-{origin.weights[:8]}").strip("_.-")
