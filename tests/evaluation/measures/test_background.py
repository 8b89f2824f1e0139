"""Background robustness of classifiers that see one part of the image, and of data that cannot tell."""

import numpy as np
import pytest

from fornet_hf.evaluation.answers.predictions import NOT_SHOWN
from fornet_hf.evaluation.measures.background import Background
from tests.evaluation.measures.answers import BOOTSTRAP, by_part, predictions, right

LABELS = np.arange(900) % 3
OTHERS = np.random.default_rng(1).integers(0, 3, 900)  # classes of the backgrounds in `all`


def measured(same, everywhere, labels=LABELS, others=OTHERS, **options):
    found = predictions(
        ["same", "all"],
        labels,
        {"same": same, "all": everywhere},
        backgrounds={"same": labels, "all": others},
        **options,
    )
    return by_part(Background().values(found, BOOTSTRAP), "background_robustness")


def test_a_model_that_sees_only_the_object_is_robust():
    answers = right(LABELS, 0.7)
    values = measured(answers, answers)
    assert (values[""].value, values[""].low, values[""].high) == (1, 1, 1)
    assert values["difference"].value == 0
    assert values["accuracy same"].value == values["accuracy all"].value == pytest.approx(0.7, abs=0.03)


def test_a_model_that_sees_only_the_background_is_at_chance():
    values = measured(LABELS, OTHERS)
    assert values["accuracy same"].value == 1
    assert values[""].low < 1 / 3 < values[""].high
    assert values[""].value == (OTHERS == LABELS).mean()


def test_a_constant_model_seems_robust_and_its_accuracy_tells():
    values = measured(np.zeros(900), np.zeros(900))
    assert values[""].value == 1
    assert values["accuracy all"].value == pytest.approx(1 / 3)


def test_a_model_that_is_always_wrong_has_no_robustness():
    values = measured((LABELS + 1) % 3, LABELS)
    assert (values[""].value, values[""].note) == (None, "accuracy in same is 0")
    assert values["difference"].value == -1


def test_one_class_says_nothing_of_backgrounds():
    values = measured(np.zeros(9), np.zeros(9), labels=np.zeros(9, int), others=np.zeros(9, int))
    assert (values[""].value, values["difference"].value) == (None, None)
    assert "no background of another class was shown" in values[""].note
    assert values["accuracy all"].value == 1


def test_an_image_that_is_alone_in_its_class_is_left_out():
    labels, others = np.array([0, 0, 1]), np.array([1, 1, 0])
    keys = {"same": ["image 0001", "image 0001", ""], "all": ["image 0002", "image 0002", "image 0000"]}
    values = measured(labels, [0, 0, 0], labels=labels, others=others, keys=keys)
    assert (values[""].value, values[""].n) == (1, 2)
    assert values[""].left_out == {"the only image of its class": 1}
    keys["same"][2] = "image 0002"  # its own by name
    assert measured(labels, labels, labels=labels, others=others, keys=keys)[""].n == 2
    keys["same"][2] = "elsewhere"  # the set has more of that class
    assert measured(labels, labels, labels=labels, others=others, keys=keys)[""].n == 3


def test_no_foreground_at_all_leaves_no_value():
    nothing = np.full(3, NOT_SHOWN)
    reasons = {(item, column): "no foreground" for item in range(3) for column in range(2)}
    values = measured(nothing, nothing, labels=np.arange(3), others=np.full(3, -1), reasons=reasons)
    assert (values[""].value, values[""].n, values[""].left_out) == (None, 0, {"no foreground": 3})


def test_the_conditions_differ_in_the_background_alone():
    same, everywhere = Background().conditions.values()
    assert same.recombination.background_combination == "same"
    assert {**same.recombination.to_json(), "background_combination": "all"} == everywhere.recombination.to_json()
    assert everywhere.recombination.evaluation
    assert (same.seen, same.whole) == (False, False)
