"""Differences of two models: none of a model from itself, and the paired interval of the closed form."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from fornet_hf.evaluation.statistics.bootstrap import Bootstrap, column
from fornet_hf.evaluation.statistics.differences import NOT_DEFINED, ONE_ONLY, difference, differences
from fornet_hf.evaluation.statistics.values import Value

BOOTSTRAP = Bootstrap(seed=1, resamples=400)


def ratio(means):
    return means[..., 1] / means[..., 0]


def answers(share, count, seed=0, columns=2):
    return (np.random.default_rng(seed).random((count, columns)) < share).astype(float)


def names(count, first=0):
    return [f"image {number:04}" for number in range(first, first + count)]


def test_a_model_does_not_differ_from_itself():
    samples = answers(0.7, 300)
    for statistic in (column(0), ratio):
        one, same = (BOOTSTRAP.estimate("m", of, names(300), statistic, part="p") for of in (samples, samples.copy()))
        found = difference(one, same, BOOTSTRAP)
        assert (found.value, found.low, found.high, found.error, found.n) == (0, 0, 0, 0, 300)
        assert (found.measure, found.part, found.left_out) == ("m", "p", {})


def test_what_is_hard_for_both_models_cancels():
    first = answers(0.6, 2000, columns=1)
    second = first.copy()
    second[:100] = 1 - second[:100]  # they differ in 5 %
    one, two = (BOOTSTRAP.estimate("accuracy", of, names(2000)) for of in (first, second))
    found = difference(one, two, BOOTSTRAP)
    each = (first - second)[:, 0]
    assert found.value == pytest.approx(each.mean())
    assert found.error == pytest.approx(each.std() / 2000**0.5, rel=0.15)
    assert found.error < one.error / 2


def test_a_ratio_is_that_of_the_means_of_each_model():
    first, second = answers(0.8, 500, 1), answers(0.5, 500, 2)
    one, two = (BOOTSTRAP.estimate("robustness", of, names(500), ratio) for of in (first, second))
    found = difference(one, two, BOOTSTRAP)
    assert found.value == pytest.approx(one.value - two.value)
    assert found.low < found.value < found.high


def test_images_of_one_model_alone_are_counted_and_left_out():
    samples = answers(0.5, 40, columns=1)
    one = BOOTSTRAP.estimate("accuracy", samples[:30], names(30))
    two = BOOTSTRAP.estimate("accuracy", samples[10:], names(30, 10))
    found = difference(one, two, BOOTSTRAP)
    assert (found.value, found.n, found.left_out) == (0, 20, {ONE_ONLY: 20})
    apart = difference(one, BOOTSTRAP.estimate("accuracy", samples[30:], names(10, 30)), BOOTSTRAP)
    assert (apart.value, apart.n) == (None, 0)


def test_items_of_one_image_stay_together():
    samples = answers(0.5, 60, columns=1)
    sources = [f"image {number % 20}" for number in range(60)]
    one, two = (BOOTSTRAP.estimate("accuracy", of, sources) for of in (samples, 1 - samples))
    found = difference(one, two, BOOTSTRAP)
    assert found.value == pytest.approx(one.value - two.value)
    assert found.n == 20


def test_values_travel_without_their_evidence():
    value = BOOTSTRAP.estimate("m", answers(0.5, 9), names(9), lambda means: means[..., 0])
    again = pickle.loads(pickle.dumps(value))
    assert (again, again.evidence) == (value, None)


def test_what_is_not_defined_has_no_difference():
    one = BOOTSTRAP.estimate("m", answers(0.5, 9), names(9), ratio)
    none = BOOTSTRAP.estimate("m", np.zeros((9, 2)), names(9), ratio)
    read = Value(measure="m", value=0.5, n=9)
    assert [(value.value, value.note) for value in differences([(one, none), (one, read)], BOOTSTRAP)] == [
        (None, NOT_DEFINED)
    ] * 2


def test_pairs_of_the_same_samples_are_resampled_once(monkeypatch):
    calls = []
    estimates = Bootstrap.estimates
    monkeypatch.setattr(Bootstrap, "estimates", lambda *a, **k: calls.append(0) or estimates(*a, **k))
    statistics = {"a": column(0), "b": column(1), "c": ratio}
    first, second = (BOOTSTRAP.estimates("m", answers(0.7, 50, seed), names(50), statistics) for seed in (1, 2))
    calls.clear()
    found = differences(list(zip(first, second, strict=True)), BOOTSTRAP)
    assert len(calls) == 1
    assert [value.part for value in found] == ["a", "b", "c"]
    alone = [difference(*pair, BOOTSTRAP) for pair in zip(first, second, strict=True)]
    assert found == alone
