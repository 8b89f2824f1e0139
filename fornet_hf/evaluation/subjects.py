"""The classifiers of an evaluation, as callers give them, and which class of the data each output means."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.answers.predicting import Subject
from fornet_hf.evaluation.data.opening import Data
from fornet_hf.evaluation.data.trees import TreeData
from fornet_hf.evaluation.labels.mapping import label_map
from fornet_hf.evaluation.models import FORMS, load
from fornet_hf.evaluation.models.classifier import Classifier, in_float32
from fornet_hf.evaluation.models.preprocessing import Preprocessing

if TYPE_CHECKING:
    import torch

Model: TypeAlias = "str | Classifier | torch.nn.Module"
Models: TypeAlias = "Model | Iterable[Model] | Mapping[str, Model]"
Labels: TypeAlias = str | Path | Mapping[str, str | Path]


def subjects_of(
    models: Models,
    data: Data,
    *,
    preprocessing: Preprocessing | None = None,
    labels: Labels | None = None,
    trust_remote_code: bool = False,
) -> list[Subject]:
    """Return the classifiers, each with the class of the data that each of its outputs means.

    Args:
        models: one or more names, classifiers or networks; see `evaluate`, as for all other arguments.
        data: whose classes are meant.
        preprocessing: of the networks.
        labels: a file for all, or by the name of the model.
        trust_remote_code: as in `load`.

    Raises:
        ConfigurationError: no model, two of one name, something else than a model, a network without preprocessing,
            or outputs that do not fit the classes.
        ForNetError: as `load` and `read_labels`.
    """
    classifiers = [
        _classifier(model, name, preprocessing, trusted=trust_remote_code) for name, model in _named(models)
    ]
    names = [classifier.name for classifier in classifiers]
    if not names:
        raise ConfigurationError(explain("no model to evaluate", allowed="one or more"))
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        then = "Name them: {'before': network, 'after': other}"
        raise ConfigurationError(explain("two models have one name", found=twice[0], then=then))
    files = _files(labels, names)
    grouped = data.grouped if isinstance(data, TreeData) else None
    return [
        Subject(
            one,
            label_map(one.outputs, data.class_names, names=one.names, file=files.get(one.name), grouped=grouped),
        )
        for one in classifiers
    ]


def _files(labels: Any, names: Sequence[str]) -> dict[str, Path]:
    """Return the file of labels of each model that has one."""
    if labels is None:
        return {}
    if isinstance(labels, (str, Path)):
        return dict.fromkeys(names, Path(labels).expanduser())
    if not isinstance(labels, Mapping):
        found, allowed = type(labels).__name__, "a file, or a file by the name of a model"
        raise ConfigurationError(explain("labels are not allowed", found=found, allowed=allowed))
    if strange := sorted(set(labels) - set(names)):
        raise ConfigurationError(explain("labels of no such model", found=strange[0], allowed=", ".join(names)))
    return {name: Path(file).expanduser() for name, file in labels.items()}


def _named(models: Any) -> list[tuple[str, Any]]:
    """Return each model once, with the name that the caller gives it; empty: none."""
    if isinstance(models, Mapping):
        return [(str(name), model) for name, model in models.items()]
    several = isinstance(models, Iterable) and not isinstance(models, str) and not _is_network(models)
    given: Iterable[Any] = models if several else [models]
    return [("", model) for model in {one if isinstance(one, str) else id(one): one for one in given}.values()]


def _is_network(model: object) -> bool:
    import torch

    return isinstance(model, torch.nn.Module)  # some of which are iterable


def _classifier(model: Any, name: str, preprocessing: Preprocessing | None, *, trusted: bool) -> Classifier:
    if isinstance(model, str):
        found = load(model, trust_remote_code=trusted)
    elif isinstance(model, Classifier):
        found = model
    elif _is_network(model):
        found = Classifier(
            name=type(model).__name__, revision="", network=model, preprocessing=_stated(preprocessing, model)
        )
    else:
        allowed = f"a network of torch, a Classifier, or a name: {FORMS}"
        raise ConfigurationError(explain("this is no model", found=type(model).__name__, allowed=allowed))
    return dataclasses.replace(found, name=name or found.name, network=in_float32(found.network))


def _stated(preprocessing: Preprocessing | None, network: object) -> Preprocessing:
    """Return the preprocessing of a network, which cannot be guessed."""
    if isinstance(preprocessing, Preprocessing):
        return preprocessing
    example = "Preprocessing(size=224, crop=0.875, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))"
    found = repr(preprocessing) if preprocessing is not None else f"{type(network).__name__} alone"
    then = f"Say which images it expects: preprocessing={example}"
    raise ConfigurationError(explain("a network needs the preprocessing of its images", found=found, then=then))
