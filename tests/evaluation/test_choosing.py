"""Measures by name; those that share a condition mean the same by it."""

from fornet_hf.evaluation.choosing import KINDS, is_experiment
from fornet_hf.evaluation.configuration import EvaluationConfig


def test_measures_are_made_from_a_configuration():
    config = EvaluationConfig(seed=5)
    assert {name: KINDS[name](config).name for name in KINDS} == {name: name for name in KINDS}


def test_conditions_of_one_name_are_equal():
    shared = {}
    for kind in (make(EvaluationConfig()) for make in KINDS.values()):
        for name, condition in [] if is_experiment(kind) else kind.conditions.items():
            assert shared.setdefault(name, condition) == condition
    assert len(shared) == 4 + 9 + 4 + 8
