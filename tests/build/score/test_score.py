import math

import pytest

from producers.score.score import Evidence, best, score


def test_the_score_is_that_of_the_publication():
    expected = math.log(0.8) + math.log(1 - 0.3) + 2 * math.log(1 - 0.25) + 0.1 * math.log(1 - 1 / 3)
    assert score(Evidence(0.8, 0.3), 0.35, 1, 3) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ((Evidence(0.9, 0.1), 0.1, 0, 3), (Evidence(0.8, 0.1), 0.1, 0, 3)),
        ((Evidence(0.9, 0.1), 0.1, 0, 3), (Evidence(0.9, 0.2), 0.1, 0, 3)),
        ((Evidence(0.9, 0.1), 0.1, 0, 3), (Evidence(0.9, 0.1), 0.5, 0, 3)),
        ((Evidence(0.9, 0.1), 0.1, 0, 3), (Evidence(0.9, 0.1), 0.1, 1, 3)),
    ],
)
def test_a_recognised_object_an_empty_background_a_usual_size_and_a_specific_prompt_are_better(better, worse):
    assert score(*better) > score(*worse)


def test_certainty_does_not_break_the_logarithm():
    assert math.isfinite(score(Evidence(0.0, 1.0), 1.0, 2, 3))


def test_the_first_of_equals_is_chosen():
    assert best([-3.0, -1.0, -1.0]) == 1
