"""Settings are validated once, and go to JSON and back."""

import doctest
import json

import numpy as np
import pytest

from fornet_hf.adapters import AdapterConfig, settings
from fornet_hf.errors import ConfigurationError


def test_they_go_to_json_and_back():
    config = AdapterConfig(
        kind="oft", targets=["layer4.*"], blocks=np.int64(8), dropout=0.1, head=("fc",), bn="adapt"
    )
    assert AdapterConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    assert hash(config)


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "dora"},
        {"kind": None},
        {"bn": "train"},
        {"rank": 0},
        {"rank": 1.5},
        {"blocks": True},
        {"alpha": 0},
        {"alpha": float("nan")},
        {"alpha": float("inf")},
        {"dropout": 1},
        {"dropout": "0"},
        {"targets": "layer4"},
        {"targets": [""]},
        {"targets": [3]},
        {"head": None},
    ],
)
def test_a_wrong_value_is_named(values):
    (name,) = values
    with pytest.raises(ConfigurationError, match=f"{name} is not allowed"):
        AdapterConfig(**values)
    with pytest.raises(ConfigurationError, match=f"{name} is not allowed"):
        AdapterConfig.from_json(values)


@pytest.mark.parametrize(
    ("value", "message"), [([], "a JSON object"), ({"ranks": 4}, "unknown keyword; found ranks")]
)
def test_json_of_something_else_is_refused(value, message):
    with pytest.raises(ConfigurationError, match=message):
        AdapterConfig.from_json(value)


def test_the_example_of_their_docstring_is_true():
    done = doctest.testmod(settings)
    assert done.attempted
    assert not done.failed
