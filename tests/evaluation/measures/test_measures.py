"""Measures by name; those that share a condition mean the same by it."""

from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.measures import MEASURES


def test_measures_are_made_from_a_configuration():
    config = EvaluationConfig(seed=5)
    assert {name: MEASURES[name](config).name for name in MEASURES} == {name: name for name in MEASURES}


def test_conditions_of_one_name_are_equal():
    shared = {}
    for make in MEASURES.values():
        for name, condition in make(EvaluationConfig()).conditions.items():
            assert shared.setdefault(name, condition) == condition
    assert len(shared) == 4 + 9 + 4 + 8
