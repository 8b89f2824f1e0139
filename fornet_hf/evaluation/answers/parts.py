"""A classifier's answers while they come in, and the files by which a killed run goes on."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from fornet_hf import __version__
from fornet_hf.evaluation.answers.predictions import NOT_SHOWN, Predictions
from fornet_hf.evaluation.labels.mapping import LabelMap
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.stimuli.protocol import OWN, Shown, Stimuli
from fornet_hf.files import atomic_path

FOLDER = ".parts"
_FORMAT = 1
_SCHEMA = pa.schema(
    {
        "item": pa.int32(),
        "condition": pa.int32(),
        "predicted": pa.int32(),
        "probability": pa.float32(),
        "background": pa.int32(),
        "background_key": pa.string(),
        "reason": pa.string(),
    }
)
_IMAGES = 1024  # of a part: some seconds of work on a GPU, minutes on a CPU
_FEWEST = 16  # parts of a small set, for processes to share


def chunks(items: int, conditions: int) -> list[range]:
    """Return the items of each part. It does not depend on the number of processes, which may change."""
    size = max(1, min(_IMAGES // max(conditions, 1), -(-items // _FEWEST)))
    return [range(start, min(start + size, items)) for start in range(0, items, size)]


class Answers:
    """The answers of one classifier so far; arrays are items x conditions, as in `Predictions`."""

    def __init__(self, stimuli: Stimuli) -> None:
        shape = len(stimuli.keys), len(stimuli.conditions)
        self._stimuli = stimuli
        self.predicted = np.full(shape, NOT_SHOWN, np.int32)
        self.probability = np.full(shape, np.nan, np.float32)
        self._backgrounds = np.full(shape, OWN, np.int32)
        self._background_keys = np.full(shape, "", object)
        self._reasons: dict[tuple[int, int], str] = {}

    def show(self, item: int, shown: Shown) -> None:
        """Note what an item is shown on, or why it is not shown."""
        for view in shown.views:
            self._backgrounds[item, view.condition] = view.background_label
            self._background_keys[item, view.condition] = view.background
        self._reasons.update({(item, condition): reason for condition, reason in shown.missing.items()})

    def table(self, items: range) -> pa.Table:
        """Return the answers to some items: a row for each item and condition."""
        rows = slice(items.start, items.stop)
        numbers, conditions = np.mgrid[rows, : self.predicted.shape[1]]
        places = zip(numbers.ravel().tolist(), conditions.ravel().tolist(), strict=True)
        values: list[Any] = [numbers, conditions, self.predicted[rows], self.probability[rows]]
        values += [self._backgrounds[rows], self._background_keys[rows]]
        arrays = [array.ravel() for array in values] + [[self._reasons.get(place, "") for place in places]]
        return pa.table(dict(zip(_SCHEMA.names, arrays, strict=True)), _SCHEMA)

    def add(self, table: pa.Table) -> None:
        """Take over the answers of a table."""
        column = {name: table[name].to_numpy() for name in table.column_names}
        places = column["item"], column["condition"]
        self.predicted[places] = column["predicted"]
        self.probability[places] = column["probability"]
        self._backgrounds[places] = column["background"]
        self._background_keys[places] = column["background_key"]
        named = zip(*(one.tolist() for one in places), column["reason"], strict=True)
        self._reasons.update({(item, condition): reason for item, condition, reason in named if reason})

    def predictions(self) -> Predictions:
        """Return them when all have come in."""
        stimuli = self._stimuli
        return Predictions(
            conditions=stimuli.conditions,
            keys=stimuli.keys,
            sources=stimuli.sources,
            labels=stimuli.labels,
            class_names=stimuli.class_names,
            predicted=self.predicted,
            probability=self.probability,
            backgrounds=self._backgrounds,
            background_keys=self._background_keys.astype(np.str_),
            reasons=self._reasons,
        )


@dataclass(frozen=True)
class Parts:
    """The files of one classifier's answers to some stimuli: one for each chunk, there as a whole or not at all.

    Attributes:
        folder: of the files; None: nothing is kept.
    """

    folder: Path | None

    @classmethod
    def of(
        cls, folder: Path | None, classifier: Classifier, labels: LabelMap, stimuli: Stimuli, precision: str
    ) -> Parts:
        """Return the parts of all that decides on the answers; `folder` is that of the whole evaluation."""
        if folder is None:
            return cls(None)
        known = {
            **what_answers(classifier, labels, precision),
            "format": _FORMAT,
            "stimuli": [stimuli.fingerprint, *stimuli.conditions],
            "items": _digest(stimuli.labels, stimuli.keys),
        }
        return cls(folder / FOLDER / name_of(known))

    def write(self, number: int, table: pa.Table) -> None:
        """Keep the answers of a chunk."""
        if self.folder is not None:
            with atomic_path(self._path(number)) as temporary:
                pq.write_table(table, temporary, write_page_checksum=True)

    def read(self, number: int, items: range, conditions: int) -> pa.Table | None:
        """Return the answers of a chunk; None: it is not there, or damaged, and has to be made."""
        if self.folder is None:
            return None
        try:
            table = pq.read_table(self._path(number), schema=_SCHEMA, page_checksum_verification=True)
        except (OSError, pa.ArrowException):  # pyarrow has many words for damage
            return None
        return table if table.num_rows == len(items) * conditions else None

    def _path(self, number: int) -> Path:
        return (self.folder or Path()) / f"{number:05}.parquet"


def what_answers(classifier: Classifier, labels: LabelMap, precision: str) -> dict[str, Any]:
    """Return all that decides on a classifier's answers to given images, as JSON object."""
    return {
        "version": __version__,
        "classifier": [*asdict(classifier.identity).values(), *_code(classifier.network)],
        "preprocessing": asdict(classifier.preprocessing),
        "precision": precision,
        "labels": _digest(labels.classes),
    }


def name_of(known: Mapping[str, Any]) -> str:
    """Return a name that stands for a JSON object."""
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:32]


def _digest(array: npt.NDArray[Any], names: Sequence[str] = ()) -> str:
    result = hashlib.sha256(np.ascontiguousarray(array).tobytes())
    for name in names:
        result.update(name.encode() + b"\0")
    return result.hexdigest()


def _code(network: Any) -> Iterator[str]:
    """Yield what tells networks of the same weights from each other: their structure and their code, where known."""
    import torch

    if isinstance(network, torch.nn.Module):
        yield repr(network)
    try:
        yield inspect.getsource(network if inspect.isfunction(network) else type(network))
    except (OSError, TypeError):  # made at a prompt
        yield type(network).__qualname__
