"""Measures by name: those that share a condition mean the same by it, and settings hold what changes numbers."""

import json
from types import SimpleNamespace

import pytest

from fornet_hf.evaluation.choosing import KINDS, chosen, is_experiment
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.measures.focus import ForegroundFocus
from fornet_hf.evaluation.measures.sensitivity import Sensitivity
from fornet_hf.evaluation.saliency.configuration import SaliencyConfig


def test_measures_are_made_from_a_configuration():
    config = EvaluationConfig(seed=5)
    assert {name: KINDS[name](config).name for name in KINDS} == {name: name for name in KINDS}


def test_conditions_of_one_name_are_equal():
    shared = {}
    for kind in (make(EvaluationConfig()) for make in KINDS.values()):
        for name, condition in [] if is_experiment(kind) else kind.conditions.items():
            assert shared.setdefault(name, condition) == condition
    assert len(shared) == 4 + 9 + 4 + 8


@pytest.mark.parametrize(
    ("usual", "other"),
    [
        (KINDS["centre"](EvaluationConfig()), KINDS["centre"](EvaluationConfig(cells="canvas"))),
        (KINDS["size"](EvaluationConfig()), KINDS["size"](EvaluationConfig(cells="canvas"))),
        (KINDS["size"](EvaluationConfig()), KINDS["size"](EvaluationConfig(sizes=(0.5,)))),
        (Sensitivity(), Sensitivity(amounts=(30,))),
        (ForegroundFocus(), ForegroundFocus(saliency=SaliencyConfig(steps=10))),
        (ForegroundFocus(), ForegroundFocus(saliency=SaliencyConfig(explained="prediction"))),
    ],
)
def test_settings_hold_what_changes_numbers(usual, other):
    assert json.dumps(usual.settings) != json.dumps(other.settings)


def test_settings_are_json():
    for make in KINDS.values():
        settings = make(EvaluationConfig()).settings
        assert isinstance(json.loads(json.dumps(settings)), dict)


def test_a_measure_of_ones_own_has_the_seed_of_the_evaluation():
    data = SimpleNamespace(lacks=lambda _: "")
    (kind,) = chosen([Sensitivity(EvaluationConfig(seed=7))], data, EvaluationConfig(seed=3))
    assert {one.noise.seed for one in kind.conditions.values()} == {3}
