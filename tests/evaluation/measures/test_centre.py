"""Centre bias: closed forms, and a set of conditions that differ in the cell alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fornet_hf.evaluation.answers.predictions import NOT_SHOWN
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.measures.centre import CELLS, Centre
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from tests.evaluation.measures.answers import BOOTSTRAP, by_part, predictions, right

LABELS = np.arange(300) % 3
WRONG = (LABELS + 1) % 3


def measured(answers, labels=LABELS, **options):
    values = Centre().values(predictions(CELLS, labels, dict(zip(CELLS, answers, strict=True)), **options), BOOTSTRAP)
    return by_part(values, "centre_bias"), by_part(values, "accuracy")


def test_a_model_that_sees_only_the_object_has_no_bias():
    bias, accuracy = measured([right(LABELS, 0.6)] * 9)
    assert (bias[""].value, bias[""].low, bias[""].high, bias["means"].value) == (0, 0, 0, 0)
    assert len({accuracy[cell].value for cell in CELLS}) == 1


def test_a_model_that_is_right_only_in_the_centre_has_all_of_it():
    bias, accuracy = measured([LABELS if number == 4 else WRONG for number in range(9)])
    assert (bias[""].value, bias["means"].value) == (1, 1)
    assert [accuracy[cell].value for cell in CELLS] == [0, 0, 0, 0, 1, 0, 0, 0, 0]


def test_a_model_that_is_never_right_in_the_centre_has_no_value():
    bias, accuracy = measured([WRONG if number == 4 else LABELS for number in range(9)])
    assert (bias[""].value, bias[""].note) == (None, "accuracy in the centre is 0")
    assert accuracy["cell 0"].value == 1


@given(st.lists(st.integers(0, 20), min_size=9, max_size=9))
def test_the_bias_is_that_of_the_formula(counts):
    labels = np.zeros(20, int)
    bias, _ = measured([(np.arange(20) >= count).astype(int) for count in counts], labels=labels)
    a = [count / 20 for count in counts]
    if counts[4] == 0:
        assert bias[""].value is None
        return
    corner, side = min(a[0], a[2], a[6], a[8]), min(a[1], a[3], a[5], a[7])
    assert bias[""].value == pytest.approx(1 - (corner + side) / (2 * a[4]))
    assert bias["means"].value == pytest.approx(1 - (sum(a) - a[4]) / 4 / (2 * a[4]))


def test_an_object_too_large_for_one_cell_is_left_out_of_all():
    answers = [LABELS.copy() for _ in CELLS]
    answers[7][:10] = NOT_SHOWN
    bias, accuracy = measured(answers, reasons={(item, 7): "too large" for item in range(10)})
    assert {accuracy[cell].n for cell in CELLS} == {bias[""].n} == {290}
    assert accuracy["cell 0"].left_out == {"too large": 10}


def test_the_conditions_differ_in_the_cell_alone():
    conditions = Centre(EvaluationConfig(seed=3)).conditions
    assert list(conditions) == list(CELLS)
    assert {(one.seen, one.whole) for one in conditions.values()} == {(True, True)}
    values = [one.recombination.to_json() for one in conditions.values()]
    assert [value.pop("fg_in_nonant") for value in values] == list(range(9))
    assert all(value == values[0] for value in values)
    assert (values[0]["seed"], values[0]["evaluation"]) == (3, True)
    assert not any(one.seen for one in Centre(EvaluationConfig(cells="canvas")).conditions.values())


@pytest.mark.parametrize(("images", "shift", "repetitions"), [(100, 0.035, 300), (1_000, 0.011, 60)])
def test_the_lowest_of_noisy_numbers_shifts_the_bias_as_the_page_says(images, shift, repetitions):
    """An unbiased model: 0.7 are right, and one answer in six is another one in each cell."""
    rng = np.random.default_rng(0)
    labels = np.zeros(images, int)

    def simulated():
        usual, other, changes = rng.random((images, 1)) < 0.7, *(rng.random((2, images, 9)) < [[[0.7]], [[1 / 6]]])
        answers = np.where(np.where(changes, other, usual), 0, 1).T
        given = predictions(CELLS, labels, dict(zip(CELLS, answers, strict=True)))
        values = by_part(Centre().values(given, Bootstrap(resamples=2)), "centre_bias")
        return values[""].value, values["means"].value

    lowest, means = np.mean([simulated() for _ in range(repetitions)], axis=0)
    assert lowest == pytest.approx(shift, abs=0.005)
    assert means == pytest.approx(0, abs=0.006)
