"""Showing stimuli to classifiers: images are made once for all that see them alike, and a killed run goes on."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fornet_hf.evaluation.answers.answering import Answering, Asked
from fornet_hf.evaluation.answers.batches import Batch, Item, batches, items_of, loader, watched_workers
from fornet_hf.evaluation.answers.device import chosen_device, computing, free_cached, on_device, out_of_memory
from fornet_hf.evaluation.answers.identity import folder_of, what_is_shown
from fornet_hf.evaluation.answers.parts import FOLDER, Chunks, Parts, work
from fornet_hf.evaluation.answers.predictions import SCHEMA, Answers, Predictions
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.labels.mapping import LabelMap
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.stimuli.protocol import Shown, Stimuli
from fornet_hf.packages import needing
from fornet_hf.processes import max_workers
from fornet_hf.progress import progress
from fornet_hf.ranks import Ranks

if TYPE_CHECKING:
    import torch


UNKNOWN = "the class is not known"
_IMAGES = 1024  # of a part: some seconds of work on a GPU, minutes on a CPU
_FEWEST = 16  # parts of a small set, for processes to share


class Subject(NamedTuple):
    """Attributes: `classifier`; `label_map`, from its outputs to the classes of the data."""

    classifier: Classifier
    label_map: LabelMap


def predict(
    classifier: Classifier,
    label_map: LabelMap,
    stimuli: Stimuli,
    config: EvaluationConfig | None = None,
    folder: Path | None = None,
) -> Predictions:
    """Return the answers of one classifier; see `predict_all`."""
    return predict_all([Subject(classifier, label_map)], stimuli, config, folder)[0]


def predict_all(
    subjects: Sequence[Subject],
    stimuli: Stimuli,
    config: EvaluationConfig | None = None,
    folder: Path | None = None,
    ranks: Ranks | None = None,
) -> list[Predictions]:
    """Return the answers of each classifier to all images of the stimuli.

    The answers to one image do not depend on what else is shown, but for the last digits of the logits, which in
    torch may depend on the number of images in a batch: batches are cut alike for every number of workers.

    Args:
        subjects: the classifiers. Images are made once for all that see them alike.
        stimuli: what they are shown.
        config: batch size, workers, precision and device.
        folder: keeps what is done in `folder/.parts`, where another call goes on; None: nothing is kept.
        ranks: the processes that share the work; None: this one alone. More than one need a folder that all see.

    Raises:
        ConfigurationError: the device cannot be used, a classifier has another number of outputs than its label map,
            or answers NaN.
        WorkerDiedError: a worker or another process was killed.
        ForNetError: an item cannot be shown.
    """
    config, ranks = config or EvaluationConfig(), ranks or Ranks()
    with needing("evaluation", "torch"):
        device = chosen_device(config.device)
    runs = [_Run(subject, stimuli, config, folder, device) for subject in subjects]
    for numbers in seen_alike(subjects):
        _answer([runs[number] for number in numbers], stimuli, config, device, ranks)
    return [run.answers.predictions() for run in runs]


def seen_alike(subjects: Sequence[Subject]) -> list[list[int]]:
    """Return the numbers of classifiers in groups that see the same images: all but normalising is alike."""
    groups: dict[Preprocessing, list[int]] = {}
    for number, subject in enumerate(subjects):
        seen = replace(subject.classifier.preprocessing, mean=Preprocessing.mean, std=Preprocessing.std)
        groups.setdefault(seen, []).append(number)
    return list(groups.values())


def chunks(items: int, conditions: int) -> list[range]:
    """Return the items of each part. It does not depend on the number of processes, which may change."""
    size = max(1, min(_IMAGES // max(conditions, 1), -(-items // _FEWEST)))
    return [range(start, min(start + size, items)) for start in range(0, items, size)]


class _Run:
    """A classifier, its answers so far, and the parts in which they are kept."""

    def __init__(
        self, subject: Subject, stimuli: Stimuli, config: EvaluationConfig, folder: Path | None, device: torch.device
    ) -> None:
        shown = what_is_shown(stimuli)
        own = folder and folder_of(folder / FOLDER, *subject, config.precision, device, stimuli=shown)
        self.subject, self.answers = subject, Answers(stimuli)
        self.chunks = Chunks(self.answers, Parts(own, SCHEMA), chunks(len(stimuli.keys), len(stimuli.conditions)))


def _answer(
    runs: Sequence[_Run], stimuli: Stimuli, config: EvaluationConfig, device: torch.device, ranks: Ranks
) -> None:
    """Complete the answers of classifiers that see the same images."""

    def lacking() -> list[int]:
        return sorted({number for run in runs for number in run.chunks.lacking()})

    def show(numbers: Sequence[int]) -> None:
        _show(
            [run for run in runs if run.chunks.lacking() or ranks.count > 1], numbers, stimuli, config, device, ranks
        )

    work(lacking, show, ranks)


def _show(
    runs: Sequence[_Run],
    numbers: Sequence[int],
    stimuli: Stimuli,
    config: EvaluationConfig,
    device: torch.device,
    ranks: Ranks,
) -> None:
    """Show the items of some chunks; to fewer classifiers at a time if they do not fit the device together."""
    try:
        with on_device([run.subject.classifier.network for run in runs], device):
            _Showing(runs, numbers, stimuli, config, device).show(quiet=not ranks.first)
    except Exception as error:
        if len(runs) == 1 or not out_of_memory(error):
            raise
        free_cached(device)
    else:
        return
    half = len(runs) // 2
    for some in (runs[:half], runs[half:]):
        _show(some, numbers, stimuli, config, device, ranks)


class _Showing:
    """One pass over the items of some chunks."""

    def __init__(
        self,
        runs: Sequence[_Run],
        numbers: Sequence[int],
        stimuli: Stimuli,
        config: EvaluationConfig,
        device: torch.device,
    ) -> None:
        self._runs, self._stimuli, self._config, self._device = runs, stimuli, config, device
        self._chunks = {number: runs[0].chunks.items[number] for number in numbers}
        self._chunk_of = {item: number for number, items in self._chunks.items() for item in items}
        self._unshown = {number: len(items) for number, items in self._chunks.items()}
        self._unanswered: Counter[int] = Counter()
        self._labels = np.asarray(stimuli.labels)
        self._answering = [Answering(*run.subject, config.batch_size, device) for run in runs]

    def show(self, *, quiet: bool) -> None:
        preprocessing = self._runs[0].subject.classifier.preprocessing
        workers = self._config.workers or max_workers()
        loaded = loader(self._stimuli, list(self._chunk_of), preprocessing, workers)
        names = ", ".join(run.subject.classifier.name for run in self._runs)
        items = items_of(loaded if quiet else progress(loaded, names, "items"))
        pinned = self._device.type == "cuda"
        waiting: deque[tuple[Batch, list[Asked]]] = deque()
        with watched_workers(), computing(self._device, self._config.precision):
            for batch in batches(map(self._noted, items), self._config.batch_size, pinned=pinned):
                waiting.append((batch, self._ask(batch)))
                if len(waiting) > 1:  # the GPU computes one batch while the next is being made
                    self._take(*waiting.popleft())
            for batch, asked in waiting:
                self._take(batch, asked)
        self._keep_done()  # also items at the end without any image

    def _noted(self, item: Item) -> Item:
        number = self._chunk_of[item.number]
        if self._labels[item.number] < 0:  # -1 would also be the answer that is none of the classes
            reasons = dict.fromkeys(range(len(self._stimuli.conditions)), UNKNOWN)
            item = item._replace(shown=Shown([], reasons), images=item.images[:0])
        for run in self._runs:
            run.answers.show(item.number, item.shown)
        self._unshown[number] -= 1
        self._unanswered[number] += len(item.shown.views)
        return item

    def _ask(self, batch: Batch) -> list[Asked]:
        labels = self._labels[list(batch.items)]

        def images(some: slice) -> torch.Tensor:
            return batch.images[some].to(self._device, non_blocking=True).float().div_(255)

        return [answering.ask(labels, images) for answering in self._answering]

    def _take(self, batch: Batch, asked: Sequence[Asked]) -> None:
        places = np.array(batch.items), np.array(batch.conditions)
        for run, one in zip(self._runs, asked, strict=True):
            predicted, probability = one.answers(lambda place: f"item {self._stimuli.keys[batch.items[place]]}")
            run.answers.predicted[places], run.answers.probability[places] = predicted, probability
        self._unanswered.subtract(self._chunk_of[item] for item in batch.items)
        self._keep_done()

    def _keep_done(self) -> None:
        for number in [number for number, left in self._unshown.items() if not left and not self._unanswered[number]]:
            del self._unshown[number]
            for run in self._runs:
                run.chunks.done(number)
