"""Accuracy on all of a measure's conditions, by class, and with what was left out."""

import numpy as np
import pytest

from fornet_hf.evaluation.answers.predictions import NOT_SHOWN
from fornet_hf.evaluation.labels import NO_LABEL
from fornet_hf.evaluation.measures.accuracy import Accuracy
from tests.evaluation.measures.answers import BOOTSTRAP, by_part, predictions

CONDITIONS = ("original", "orig", "same", "all")


def test_accuracy_is_the_share_of_right_answers_in_all_and_by_class():
    labels = [0, 0, 1, 1]
    answers = {"original": labels, "orig": [0, 1, 1, 1], "same": [0, NO_LABEL, 1, 0], "all": [1, 1, 0, 0]}
    values = by_part(Accuracy().values(predictions(CONDITIONS, labels, answers), BOOTSTRAP), "accuracy")
    assert {part: value.value for part, value in values.items()} == {
        "original": 1,
        "orig": 0.75,
        "same": 0.5,
        "all": 0,
        "original class bird": 1,
        "orig class bird": 0.5,
        "same class bird": 0.5,
        "all class bird": 0,
        "original class dog": 1,
        "orig class dog": 1,
        "same class dog": 0.5,
        "all class dog": 0,
    }
    assert (values["orig class dog"].n, values["all"].n) == (2, 4)


def test_items_that_one_condition_lacks_are_left_out_of_all_and_counted():
    labels = np.array([0, 1, 0])
    answers = {"original": [0, 0, 0], "orig": labels, "same": labels, "all": [0, NOT_SHOWN, 0]}
    found = predictions(CONDITIONS, labels, answers, reasons={(1, 3): "no foreground"})
    values = by_part(Accuracy().values(found, BOOTSTRAP), "accuracy")
    assert {values[name].value for name in CONDITIONS} == {1}
    assert {values[name].n for name in CONDITIONS} == {2}
    assert values["same"].left_out == {"no foreground": 1}
    assert values["every original"].value == pytest.approx(2 / 3)
    assert values["every original"].left_out == {}
    assert "original class dog" not in values
    assert values["original"].note.endswith("2 of 3 classes have no image")


def test_data_without_masks_have_originals_alone():
    found = predictions(["original"], [0, 1], {"original": [0, 0]})
    values = by_part(Accuracy().values(found, BOOTSTRAP), "accuracy")
    assert values["original"].value == 0.5
    assert set(values) == {"original", "original class bird", "original class dog"}
