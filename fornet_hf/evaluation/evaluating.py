"""Evaluation: models, data and measures joined, from their names to results in a folder."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fornet_hf.arguments import check_keywords, keywords
from fornet_hf.errors import ConfigurationError, SourceError, explain
from fornet_hf.evaluation.answers.device import chosen_device
from fornet_hf.evaluation.choosing import Kind, check_fit, chosen
from fornet_hf.evaluation.configuration import EvaluationConfig, Settings
from fornet_hf.evaluation.data.opening import open_data
from fornet_hf.evaluation.measuring import Measuring
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.report.folder import write_report
from fornet_hf.evaluation.report.kept import Examples, write_examples
from fornet_hf.evaluation.report.wording import of_class
from fornet_hf.evaluation.results.model_index import dataset_type, write_headers
from fornet_hf.evaluation.results.results import Results
from fornet_hf.evaluation.saliency.configuration import SaliencyConfig
from fornet_hf.evaluation.statistics.values import Value
from fornet_hf.evaluation.subjects import Labels, Models, subjects_of
from fornet_hf.locks import alone, together
from fornet_hf.packages import needing
from fornet_hf.ranks import joined_ranks

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
        output: folder for results, answers and report. Rows of other models and data in it stay. Numbers are written
            as they come; until all is measured another call goes on with what is done. None: nothing is written.
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
        SourceError: no measure gives a number.
        ForNetError: models, data or the disk are not as they must be. What was measured before stays.
    """
    check_keywords(settings, keywords(evaluate, EvaluationConfig))
    config = EvaluationConfig.of(config, settings)
    folder = None if output is None else Path(output).expanduser()
    if folder is not None:
        if folder.exists() and not folder.is_dir():
            raise ConfigurationError(explain("output is no folder", found=str(folder)))
        Results.earlier(folder)  # damaged ones are told before anything is shown
    with needing("evaluation", "torch"):
        chosen_device(config.device)  # or say at once that there is none
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
        run = {**config.to_json(), "command": command, "dataset": dataset_type(opened.name), "revision": revision}
        measuring = Measuring(subjects, kinds, opened, config, folder, ranks, run)
        own = folder if ranks.first else None
        with nullcontext() if own is None else together(own / ".parts.lock") as last:
            measuring.predict()
            measuring.experiment()
            measured = measuring.results().compared(_of_whole_sets)
            _check(measured, opened.name)
            ranks.wait()  # until all have read what the first clears away
            if own is not None:
                _write(measured, measuring.examples(), own)
            if last is not None and last():  # else another evaluation that keeps its parts there clears them
                measuring.clear()
        return measured


def _check(measured: Results, data: str) -> None:
    """Raise SourceError if no measure gave a number."""
    if not measured.has_numbers:
        reasons = {reason: n for result in measured for reason, n in result.value.left_out.items()}
        found = ", ".join(f"{n:,} {reason}" for reason, n in reasons.items()) or "no images"
        then = "Look at the images and at the names of their folders; rows without an object have few measures."
        raise SourceError(explain(f"no measure gives a number on {data}", found=found, then=then))


def _write(measured: Results, examples: Examples, folder: Path) -> None:
    """Write results, headers of cards, examples and the page, each with what the folder has from earlier."""
    measured.write(folder)
    with alone(folder / ".report.lock"):
        every = Results.earlier(folder)
        write_headers(folder, replace(every, results=[one for one in every if _of_whole_sets(one.value)]))
        write_report(every, write_examples(folder, examples), folder)


def _of_whole_sets(value: Value) -> bool:
    return of_class(value.measure, value.part) is None
