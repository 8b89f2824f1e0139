"""The pace of work that several processes do."""

import pytest

from producers.views.pace import Stretch, average, rate, recent, together

TWO = [Stretch(0, 100, 50), Stretch(50, 150, 100)]


def test_images_count_evenly_over_the_time_that_their_shard_took():
    assert rate(TWO, 0, 150) == pytest.approx(3600)
    assert rate(TWO, 50, 100) == pytest.approx(3600 * 75 / 50)
    assert rate(TWO, 200, 300) == 0
    assert rate([], 0, 0) == 0


def test_time_in_which_nobody_works_does_not_count():
    later = [*TWO, Stretch(1000, 1050, 50)]
    assert list(together(later)) == [(0, 150), (1000, 1050)]
    assert average(later) == pytest.approx(3600)
    assert average([]) == 0


def test_a_long_pause_ends_what_is_recent_and_an_hour_does_too():
    assert recent([*TWO, Stretch(1000, 1050, 50)]) == (1000, 1050)
    assert recent([*TWO, Stretch(700, 1050, 50)]) == (0, 1050)
    assert recent([Stretch(0, 5000, 50)]) == (1400, 5000)
    assert recent([]) == (0, 0)
