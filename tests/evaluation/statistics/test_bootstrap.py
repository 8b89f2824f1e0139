"""Errors and intervals: against closed forms, and against what must not change them."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fornet_hf.errors import ConfigurationError
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap, column


def names(count):
    return [f"image {number:06}" for number in range(count)]


def answers(share, count, *, seed=0, columns=1):
    return (np.random.default_rng(seed).random((count, columns)) < share).astype(float)


def ratio(means):
    return means[..., 1] / means[..., 0]


def difference(means):
    return means[..., 1] - means[..., 0]


def test_the_error_of_a_mean_is_that_of_the_closed_form():
    samples = answers(0.7, 2000)
    value = Bootstrap(resamples=2000).estimate("accuracy", samples, names(2000), part="all", left_out={"small": 3})
    assert value.value == samples.mean()
    assert value.error == pytest.approx(samples.std() / 2000**0.5, rel=0.05)
    assert (value.high - value.low) / value.error == pytest.approx(2 * 1.96, rel=0.05)
    assert (value.measure, value.part, value.n, value.left_out) == ("accuracy", "all", 2000, {"small": 3})
    assert value.note == ""


@pytest.mark.parametrize(("statistic", "truth"), [(column(1), 0.48), (ratio, 0.6), (difference, -0.32)])
def test_intervals_hold_the_truth_as_often_as_they_say(statistic, truth):
    hits = 0
    for seed in range(300):
        first = answers(0.8, 200, seed=seed)
        both = np.hstack([first, first * answers(0.6, 200, seed=1000 + seed)])
        value = Bootstrap(seed=seed, resamples=400).estimate("m", both, names(200), statistic)
        hits += value.low <= truth <= value.high
    assert 0.92 < hits / 300 < 0.98


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_items_has_no_effect(random):
    samples, sources = answers(0.5, 40, columns=2), [f"image {number % 15}" for number in range(40)]
    order = list(range(40))
    random.shuffle(order)
    shuffled = Bootstrap().estimate("m", samples[order], [sources[one] for one in order], ratio)
    assert shuffled == Bootstrap().estimate("m", samples, sources, ratio)


def test_items_of_one_image_are_drawn_together():
    once = answers(0.7, 300)
    alone = Bootstrap().estimate("m", once, names(300))
    repeated = Bootstrap().estimate("m", np.repeat(once, 5, axis=0), np.repeat(names(300), 5))
    assert (repeated.value, repeated.error, repeated.n) == (
        pytest.approx(alone.value),
        pytest.approx(alone.error),
        300,
    )
    independent = Bootstrap().estimate("m", np.repeat(once, 5, axis=0), names(1500))
    assert independent.error == pytest.approx(alone.error / 5**0.5, rel=0.1)


def test_the_mean_is_that_of_the_items_whatever_number_an_image_has():
    value = Bootstrap().estimate("m", np.array([[1.0], [1.0], [1.0], [0.0]]), ["a", "a", "a", "b"])
    assert (value.value, value.n) == (0.75, 2)


def test_pairs_make_differences_narrower():
    first = answers(0.7, 500)
    second = np.where(answers(0.05, 500, seed=1) > 0, 1 - first, first)
    paired = Bootstrap().estimate("m", np.hstack([first, second]), names(500), difference)
    unpaired = Bootstrap().estimate("m", np.hstack([first, second[::-1]]), names(500), difference)
    assert paired.value == pytest.approx(unpaired.value)
    assert paired.error < unpaired.error / 2


def test_the_seed_decides():
    samples = answers(0.5, 50)
    first, again, other = (Bootstrap(seed=seed).estimate("m", samples, names(50)) for seed in (1, 1, 2))
    assert first == again
    assert first.error != other.error


def test_several_statistics_come_from_the_same_resamples():
    samples = answers(0.5, 50, columns=2)
    both = Bootstrap().estimates("m", samples, names(50), {"a": column(0), "b": column(1)})
    assert both == [Bootstrap().estimate("m", samples, names(50), column(n), part="ab"[n]) for n in range(2)]


def test_a_ratio_to_nothing_has_no_value():
    samples = np.hstack([np.zeros((50, 1)), answers(0.5, 50)])
    value = Bootstrap().estimate("m", samples, names(50), ratio, undefined="accuracy in same is 0")
    assert (value.value, value.low, value.high, value.error) == (None, None, None, None)
    assert (value.n, value.note) == (50, "accuracy in same is 0")


def test_undefined_resamples_widen_the_interval_until_there_is_none():
    def missing(count):
        """The first mean; not defined if none of the first `count` images was drawn: exp(-count) of the resamples."""
        marks = np.arange(300)[:, None] < count
        samples = np.hstack([answers(0.5, 300), marks])
        return Bootstrap().estimate(
            "m", samples, names(300), lambda m: np.where(m[..., 1] > 0, m[..., 0], np.nan), undefined="no mark"
        )

    often, seldom, never = missing(1), missing(5), missing(300)
    assert (often.low, often.high, often.error) == (None, None, None)
    assert often.value is not None
    assert "no interval, as in 3" in often.note
    assert seldom.low <= never.low < never.high <= seldom.high
    assert seldom.note.endswith("of the resamples: no mark")
    assert seldom.note.startswith("counted beyond both ends of the interval: 0.")
    assert never.note == ""


def test_what_never_varies_says_what_may_be_unseen():
    value = Bootstrap().estimate("m", np.ones((20, 1)), names(20))
    assert (value.low, value.high, value.error) == (1, 1, 0)
    assert "13.9% of all images" in value.note  # 0.861 ** 20 is 0.05
    constant = Bootstrap().estimate("m", np.full((7, 1), 0.1), names(7))
    assert "all resamples agree" in constant.note


def test_one_image_has_no_interval():
    value = Bootstrap().estimate("m", np.array([[1.0], [0.0]]), ["a", "a"])
    assert (value.value, value.low, value.high, value.error, value.n) == (0.5, None, None, None, 1)
    assert value.note == "one source image: no interval"


def test_no_items_have_no_value():
    value = Bootstrap().estimate("m", np.empty((0, 2)), [], ratio, left_out={"no foreground": 4})
    assert (value.value, value.n, value.left_out, value.note) == (
        None,
        0,
        {"no foreground": 4},
        "all items are left out",
    )
    assert value.note


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(wrong):
    with pytest.raises(ConfigurationError, match="focus is not finite; found an item of b"):
        Bootstrap().estimate("focus", np.array([[1.0], [wrong]]), ["a", "b"])


def test_many_images_take_seconds():
    samples = answers(0.5, 50_000, columns=20)
    start = time.process_time()
    Bootstrap(resamples=200).estimates("m", samples, names(50_000), {f"{n}": column(n) for n in range(20)})
    assert time.process_time() - start < 10


@pytest.mark.parametrize(("name", "value"), [("resamples", 1), ("seed", -1)])
def test_settings_without_sense_are_refused(name, value):
    with pytest.raises(ConfigurationError, match=f"{name} is not allowed; found {value}"):
        Bootstrap(**{name: value})
