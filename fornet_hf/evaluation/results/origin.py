"""Origins: all that a number depends on, so that numbers of different origins never take each other's place."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from typing import Any

from fornet_hf import __version__
from fornet_hf.evaluation.answers.predicting import Subject
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.data.opening import Data

_OF_MODEL = ("model", "weights", "precision", "preprocessing", "label_map")


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Model, data and settings behind numbers.

    Attributes:
        model: name of the classifier, as it was asked for.
        weights: their digest, 64 hexadecimal digits.
        data: name of the data, as it was asked for.
        split: of them.
        release: their fingerprint.
        seed: of draws and resamples.
        precision: that the classifier computed in.
        settings: digest of all others that the numbers depend on; see `digest`.
        version: of this library.
    """

    model: str
    weights: str
    data: str
    split: str
    release: str
    seed: int
    precision: str
    settings: str
    version: str

    @property
    def identity(self) -> tuple[object, ...]:
        """All that tells these numbers from others; a newer version replaces them."""
        return astuple(self)[:-1]

    @property
    def name(self) -> str:
        """Eight hexadecimal digits that stand for the identity."""
        return digest(self.identity)[:8]

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Origin:
        """Return the origin in a row. Raises KeyError if it is none."""
        return cls(**{one.name: row[one.name] for one in fields(cls)})


class Origins:
    """The origins of one evaluation, and the settings behind them.

    Attributes:
        settings: of the origins that were asked for, by digest.
    """

    def __init__(self, data: Data, config: EvaluationConfig) -> None:
        self.settings: dict[str, dict[str, Any]] = {}
        self._data, self._config = data, config
        self._weights: dict[int, str] = {}  # of each network: digests of large ones take a while

    def of(self, subject: Subject, settings: Mapping[str, Any]) -> Origin:
        """Return the origin of a classifier's numbers.

        Args:
            subject: the classifier, whose preprocessing and label map are put to the settings.
            settings: all others, a JSON object; seed and precision apart.
        """
        classifier, label_map = subject
        if (network := id(classifier.network)) not in self._weights:
            self._weights[network] = classifier.identity.digest
        known: dict[str, Any] = {
            **settings,
            "preprocessing": asdict(classifier.preprocessing),
            "label_map": hashlib.sha256(label_map.classes.astype("<i4").tobytes()).hexdigest()[:16],
        }
        known = json.loads(json.dumps(known))  # as it is when it is read again
        name = digest(known)
        self.settings[name] = known
        return Origin(
            model=classifier.name,
            weights=self._weights[network],
            data=self._data.name,
            split=self._data.split,
            release=self._data.fingerprint,
            seed=self._config.seed,
            precision=self._config.precision,
            settings=name,
            version=__version__,
        )


def digest(value: object) -> str:
    """Return a name that stands for a JSON value: 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def model_of(origin: Origin, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what tells a model from others, by name: of all settings those that belong to a model."""
    every = {**settings, **asdict(origin)}
    flat = {name: every.get(name) for name in _OF_MODEL if name != "preprocessing"}
    return {**flat, **every.get("preprocessing", {})}


def shared(origin: Origin, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data and settings of a number, by name, without those that belong to its model."""
    every = {**settings, **asdict(origin)}
    return {name: value for name, value in every.items() if name not in (*_OF_MODEL, "settings", "version")}


def names_apart(models: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the models' names, each with what tells it from others of its name."""
    times = Counter(model["model"] for model in models)
    names = []
    for model in models:
        alike = [other for other in models if other["model"] == model["model"]]
        differing = [name for name in model if any(other.get(name) != model[name] for other in alike)]
        words = ", ".join(f"{name} {str(model[name])[:12]}" for name in differing)
        names.append(f"{model['model']} ({words})" if times[model["model"]] > 1 else str(model["model"]))
    return names
