"""The measures of an evaluation: those that were asked for, or all that the data allow; the conditions they need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.challenge.experiment import Challenge
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.data.opening import Data
from fornet_hf.evaluation.data.trees import TreeData
from fornet_hf.evaluation.measures.accuracy import Accuracy
from fornet_hf.evaluation.measures.background import Background
from fornet_hf.evaluation.measures.centre import Centre
from fornet_hf.evaluation.measures.focus import ForegroundFocus
from fornet_hf.evaluation.measures.in9 import ImageNet9
from fornet_hf.evaluation.measures.independence import Independence
from fornet_hf.evaluation.measures.measure import Experiment, Measure
from fornet_hf.evaluation.measures.sensitivity import Sensitivity
from fornet_hf.evaluation.measures.size import Size
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.saliency.configuration import SaliencyConfig
from fornet_hf.evaluation.stimuli.conditions import Condition

if TYPE_CHECKING:
    from typing_extensions import TypeIs

Kind = Measure | Experiment

KINDS: Mapping[str, Callable[[EvaluationConfig], Kind]] = {
    "accuracy": Accuracy,
    "background": Background,
    "centre": Centre,
    "size": Size,
    "sensitivity": Sensitivity,
    "focus": lambda _: ForegroundFocus(),
    "in9": lambda _: ImageNet9(),
    "challenge": lambda _: Challenge(),
    "independence": lambda _: Independence(),
}
"""All measures by their names in commands."""
ON_REQUEST = ("independence",)
"""Measures that are taken only where they are named: those that say nothing of a classifier."""


def is_experiment(kind: Kind) -> TypeIs[Experiment]:
    """Return whether a measure shows images of its own."""
    return hasattr(kind, "run")


def chosen(
    measures: str | Iterable[str | Kind] | None,
    data: Data,
    config: EvaluationConfig,
    saliency: SaliencyConfig | None = None,
) -> list[Kind]:
    """Return the measures that were asked for, or all of classifiers that the data allow; focus with its settings.

    Raises:
        ConfigurationError: one is not known, two of one name differ, the data lack what one needs, or there are
            settings for none.
    """
    kinds = _asked(measures, data, config)
    if saliency is None:
        return kinds
    given: object = saliency
    if not isinstance(given, SaliencyConfig):
        raise ConfigurationError(explain("saliency is not allowed", found=repr(given), allowed="SaliencyConfig(...)"))
    if not any(isinstance(kind, ForegroundFocus) for kind in kinds):
        found = ", ".join(kind.name for kind in kinds)
        raise ConfigurationError(explain("settings of saliency, which is not measured", found=found, allowed="focus"))
    return [replace(kind, saliency=saliency) if isinstance(kind, ForegroundFocus) else kind for kind in kinds]


def _asked(measures: str | Iterable[str | Kind] | None, data: Data, config: EvaluationConfig) -> list[Kind]:
    if measures is None:
        every = [make(config) for name, make in KINDS.items() if name not in ON_REQUEST]
        return _each_number_once([kind for kind in every if not _lacks(kind, data) or _notes_it(kind, data)])
    chosen: list[Kind] = []
    for measure in [measures] if isinstance(measures, str) else measures:
        if isinstance(measure, str) and measure not in KINDS:
            raise ConfigurationError(explain("unknown measure", found=measure, allowed=", ".join(KINDS)))
        kind = KINDS[measure](config) if isinstance(measure, str) else _of_one_seed(measure, config.seed)
        if reason := _lacks(kind, data):
            raise ConfigurationError(f"{kind.name}: {reason}")
        chosen.append(kind)
    if not chosen:
        raise ConfigurationError(explain("no measure", allowed=", ".join(KINDS)))
    return _each_number_once(chosen)


def _of_one_seed(measure: Kind, seed: int) -> Kind:
    """Return a measure that a caller made, with the evaluation's seed, which is that of its rows."""
    made: Any = measure
    if isinstance(own := getattr(made, "config", None), EvaluationConfig) and hasattr(made, "__dataclass_fields__"):
        made = replace(made, config=replace(own, seed=seed))
    kind: Kind = made
    return kind


def _each_number_once(kinds: Iterable[Kind]) -> list[Kind]:
    """Return each measure once, without `accuracy` where `in9` is, which has its numbers.

    Raises:
        ConfigurationError: two of one name have other settings.
    """
    named: dict[str, Kind] = {}
    for kind in kinds:
        if named.setdefault(kind.name, kind).settings != kind.settings:
            then = "Evaluate them one after the other."
            raise ConfigurationError(explain("two measures have one name", found=kind.name, then=then))
    if "in9" in named:
        named.pop("accuracy", None)
    return list(named.values())


def check_fit(
    kinds: Iterable[Kind], classifiers: Sequence[Classifier], config: EvaluationConfig, *, asked: bool
) -> None:
    """Find out whether classifiers can have the numbers of all measures; what one cannot have is noted in its place.

    Raises:
        ConfigurationError: a measure that was asked for is for none of them, or its settings are for none.
    """
    for kind in filter(is_experiment, kinds):
        reasons = [kind.unfit(classifier, config) for classifier in classifiers]
        if asked and all(reasons):
            raise ConfigurationError(f"{kind.name}: {reasons[0]}")


def _lacks(kind: Kind, data: Data) -> str:
    """Say why the data do not allow a measure; empty: they do. Accuracy takes the conditions that there are."""
    if is_experiment(kind) or isinstance(kind, ImageNet9):
        return str(kind.lacks(data))
    if kind.name == "accuracy" and _possible(kind, data):
        return ""
    return data.lacks(kind.conditions)


def _notes_it(kind: Kind, data: Data) -> bool:
    """Return whether a measure says itself, in a note, what the data lack."""
    return isinstance(kind, ImageNet9) and isinstance(data, TreeData)


def _possible(measure: Measure, data: Data) -> dict[str, Condition]:
    return {name: one for name, one in measure.conditions.items() if not data.lacks({name: one})}


def conditions_of(measures: Sequence[Measure], data: Data) -> dict[str, Condition]:
    """Return all conditions that the measures need; none: all that the data have.

    Raises:
        ConfigurationError: two of them have one name.
    """
    if any(not measure.conditions for measure in measures):
        return {}
    conditions: dict[str, Condition] = {}
    for measure in measures:
        for name, one in _possible(measure, data).items():
            if conditions.setdefault(name, one) != one:
                then = "Evaluate them one after the other."
                raise ConfigurationError(explain(f"two measures show {name!r} in different manners", then=then))
    return conditions
