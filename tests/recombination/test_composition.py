"""Compositions travel as JSON."""

from __future__ import annotations

import json

import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.recombination.composition import Composition

COMPOSITION = Composition(
    original=False,
    background=3,
    background_key="n_1",
    background_box=(0, 0, 20, 10),
    canvas=(20, 10),
    window=(2, 0, 18, 10),
    output=(8, 8),
    flip=True,
    size=(6, 5),
    part=(1, 0, 6, 5),
    offset=(-1, 2),
    sigma=1.25,
)


def test_it_survives_json():
    assert Composition.from_json(json.loads(json.dumps(COMPOSITION.to_json()))) == COMPOSITION


@pytest.mark.parametrize("value", [{"original": True}, [], COMPOSITION.to_json() | {"more": 1}])
def test_something_else_is_refused(value):
    with pytest.raises(ConfigurationError, match="no composition"):
        Composition.from_json(value)
