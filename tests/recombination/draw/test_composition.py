"""Compositions travel as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.recombination.draw.composition import Composition

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


def test_what_is_missing_has_a_value_of_its_type():
    """A DataLoader makes no batches of None."""
    bare = replace(COMPOSITION, background=None, background_key=None, size=None)
    value = bare.to_json()
    assert None not in value.values()
    assert {name: type(item) for name, item in value.items()} == {
        name: type(item) for name, item in COMPOSITION.to_json().items()
    }
    assert Composition.from_json(value) == bare
    assert Composition.from_json({**value, "background": None, "size": None}) == bare


def test_fields_that_came_later_may_be_missing():
    value = COMPOSITION.to_json()
    del value["foreground_digest"], value["background_digest"]
    assert Composition.from_json(value) == COMPOSITION


@pytest.mark.parametrize("value", [{"original": True}, [], COMPOSITION.to_json() | {"more": 1}])
def test_something_else_is_refused(value):
    with pytest.raises(ConfigurationError, match="no composition"):
        Composition.from_json(value)
