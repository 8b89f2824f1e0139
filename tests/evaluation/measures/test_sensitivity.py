"""Relative foreground sensitivity: its ends, its middle, and where it is not defined."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fornet_hf.evaluation.measures.sensitivity import Sensitivity
from tests.evaluation.measures.answers import BOOTSTRAP, by_part, predictions, right

LABELS = np.arange(300) % 3
WRONG = (LABELS + 1) % 3
ONE = Sensitivity(amounts=(60,))


def measured(on_object, on_background):
    names = ("noise foreground 60", "noise background 60")
    found = predictions(names, LABELS, dict(zip(names, (on_object, on_background), strict=True)))
    return by_part(ONE.values(found, BOOTSTRAP), "relative_foreground_sensitivity")["noise 60"]


def test_a_model_that_needs_only_the_object_has_one():
    assert measured(WRONG, LABELS).value == 1


def test_a_model_that_needs_only_the_background_has_minus_one():
    assert measured(LABELS, WRONG).value == -1


def test_a_model_that_needs_both_alike_has_none():
    answers = right(LABELS, 0.4)
    assert measured(answers, answers).value == 0


@pytest.mark.parametrize("answers", [LABELS, WRONG])
def test_answers_that_are_all_right_or_all_wrong_say_nothing(answers):
    value = measured(answers, answers)
    assert (value.value, value.note) == (None, "all answers are right, or all are wrong")


@given(st.integers(0, 300), st.integers(0, 300))
def test_it_is_the_difference_over_the_largest_that_the_mean_allows(on_object, on_background):
    value = measured(*(np.where(np.arange(300) < count, LABELS, WRONG) for count in (on_object, on_background)))
    mean = (on_object + on_background) / 600
    if mean in (0, 1):
        assert value.value is None
    else:
        assert value.value == pytest.approx((on_background - on_object) / 300 / (2 * min(mean, 1 - mean)))
        assert -1 - 1e-9 <= value.value <= 1 + 1e-9


def test_each_amount_has_a_value_and_all_have_one_from_their_mean_accuracies():
    measure = Sensitivity(amounts=(30, 90))
    answers = [np.where(np.arange(300) < count, LABELS, WRONG) for count in (120, 240, 60, 180)]
    found = predictions(list(measure.conditions), LABELS, dict(zip(measure.conditions, answers, strict=True)))
    values = measure.values(found, BOOTSTRAP)
    by = by_part(values, "relative_foreground_sensitivity")
    assert by["noise 30"].value == pytest.approx(0.4 / 0.8)
    assert by["noise 90"].value == pytest.approx(0.4 / 0.8)
    assert by[""].value == pytest.approx(0.4 / (2 * 0.5))
    assert list(by_part(values, "accuracy")) == list(measure.conditions)


def test_the_noise_is_on_either_part_of_the_original_for_each_amount():
    conditions = Sensitivity().conditions
    assert list(conditions)[:2] == ["noise foreground 30", "noise background 30"]
    assert len(conditions) == 8
    assert {(one.recombination, one.noise.seed) for one in conditions.values()} == {(None, 0)}
