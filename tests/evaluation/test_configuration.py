from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.evaluation.configuration import EvaluationConfig, Settings


def test_json_and_back():
    config = EvaluationConfig(seed=3, draws=2, sizes=(2, 0.5), workers=1, device="cpu")
    assert EvaluationConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_size_one_is_always_there_and_sizes_are_sorted():
    assert EvaluationConfig(sizes=(2, 0.5)).sizes == (0.5, 1.0, 2.0)
    assert EvaluationConfig(sizes=()).sizes == (1.0,)


def test_numbers_of_numpy_are_taken():
    assert EvaluationConfig(seed=np.int64(3), sizes=np.array([0.5])) == EvaluationConfig(seed=3, sizes=[0.5])


@pytest.mark.parametrize(
    "values",
    [
        {"seed": -1},
        {"seed": True},
        {"seed": 1.5},
        {"draws": 0},
        {"resamples": 1},
        {"cells": "all"},
        {"sizes": (0,)},
        {"sizes": (float("nan"),)},
        {"sizes": 2},
        {"sizes": ("2",)},
        {"sizes": (1.0000001,)},
        {"sizes": (0.5, 0.50000001)},
        {"batch_size": 0},
        {"workers": 0},
        {"precision": "float16"},
    ],
    ids=str,
)
def test_what_is_not_allowed_is_named(values):
    with pytest.raises(ConfigurationError, match=f"{next(iter(values))} is not allowed; found .*; allowed: "):
        EvaluationConfig(**values)


def test_unknown_names_in_json_are_named():
    with pytest.raises(ConfigurationError, match=r"unknown keyword; found sede.* Did you mean seed"):
        EvaluationConfig.from_json({"sede": 1})


def test_settings_are_a_configuration_or_its_fields():
    config = EvaluationConfig(seed=3)
    assert EvaluationConfig.of(config, {}) is config
    assert EvaluationConfig.of(None, {"seed": 3}) == config
    for given, settings, told in (
        ({}, {}, r"config is not allowed; found {}; allowed: EvaluationConfig\("),
        (config, {"draws": 2}, "a keyword beside config is not allowed; found 'draws'"),
        (None, {"sede": 1}, "unknown keyword; found sede.* Did you mean seed"),
    ):
        with pytest.raises(ConfigurationError, match=told):
            EvaluationConfig.of(given, settings)


def test_types_of_keywords_are_those_of_the_fields():
    fields = {field.name: str(field.type) for field in dataclasses.fields(EvaluationConfig)}
    typed = {name: one.__forward_arg__ for name, one in Settings.__annotations__.items()}
    assert {**typed, "sizes": "tuple[float, ...]"} == fields
