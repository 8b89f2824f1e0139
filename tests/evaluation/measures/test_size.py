"""Size bias: closed forms, and conditions that differ in the size alone."""

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.evaluation.answers.predictions import NOT_SHOWN
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.measures.size import Size
from tests.evaluation.measures.answers import BOOTSTRAP, by_part, predictions, right

LABELS = np.arange(300) % 3
SIZE = Size(EvaluationConfig(sizes=(0.5, 1, 2)))


def measured(*answers):
    names = list(SIZE.conditions)
    found = predictions(names, LABELS, dict(zip(names, answers, strict=True)))
    values = SIZE.values(found, BOOTSTRAP)
    return by_part(values, "size_bias"), by_part(values, "accuracy")


def test_a_model_that_does_not_care_about_size_has_one():
    answers = right(LABELS, 0.6)
    ratios, accuracy = measured(answers, answers, answers)
    assert {part: value.value for part, value in ratios.items()} == {"size 0.5": 1, "size 2": 1}
    assert set(accuracy) == {"size 0.5", "size 1", "size 2"}


def test_the_bias_is_the_accuracy_relative_to_the_usual_size():
    ratios, accuracy = measured(
        np.where(np.arange(300) < 75, LABELS, -1), np.where(np.arange(300) < 150, LABELS, -1), LABELS
    )
    assert (ratios["size 0.5"].value, ratios["size 2"].value) == (0.5, 2)
    assert accuracy["size 1"].value == 0.5
    assert ratios["size 0.5"].low < 0.5 < ratios["size 0.5"].high


def test_a_model_that_is_never_right_at_the_usual_size_has_none():
    ratios, _ = measured(LABELS, (LABELS + 1) % 3, LABELS)
    assert {(value.value, value.note) for value in ratios.values()} == {
        (None, "accuracy at size 1 is 0; of objects that fit at each factor of 0.5, 1, 2")
    }


def test_the_note_says_how_many_the_largest_size_costs():
    names = list(SIZE.conditions)
    large = np.where(np.arange(300) < 90, LABELS, NOT_SHOWN)
    found = predictions(names, LABELS, {names[0]: LABELS, names[1]: LABELS, names[2]: large})
    for value in SIZE.values(found, BOOTSTRAP):
        assert value.n == 90
        assert "of objects that fit at each factor of 0.5, 1, 2; 210 more items fit without 2" in value.note
    smaller = Size(EvaluationConfig(sizes=(0.5, 1)))
    assert all("without" not in value.note for value in smaller.values(found, BOOTSTRAP))


def test_one_size_alone_is_refused():
    with pytest.raises(ConfigurationError, match=r"size bias compares factor 1 with others; found \[1\.0\]; allowed"):
        Size(EvaluationConfig(sizes=(1, 1.0)))


def test_the_conditions_differ_in_the_size_alone():
    conditions = SIZE.conditions
    assert {(one.seen, one.whole) for one in conditions.values()} == {(True, True)}
    values = [one.recombination.to_json() for one in conditions.values()]
    assert [value.pop("fg_size_fact") for value in values] == [0.5, 1, 2]
    assert values[0] == values[1] == values[2]
    assert values[0]["fg_bates_n"] == 0  # in the middle, whatever the size
