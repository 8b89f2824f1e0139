"""Bounds of given scores: against values computed by hand, and with the gradients that training needs."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fornet_hf.evaluation.independence.bounds import InfoNCE, Mine  # noqa: E402

SCORES = np.log([[8.0, 1, 3], [2, 4, 8]])


def test_mine_is_the_mean_of_the_own_less_the_logarithm_of_the_others_mean():
    expected = (math.log(8) + math.log(2)) / 2 - math.log((1 + 3 + 4 + 8) / 4)
    assert Mine(0.1).read(SCORES).scores.mean() == pytest.approx(expected)


def test_infonce_is_the_logarithm_of_the_own_share_of_a_row():
    expected = [math.log(8 / 4), math.log(2 / (14 / 3))]
    assert InfoNCE().read(SCORES).scores == pytest.approx(expected)


@pytest.mark.parametrize("bound", [Mine(0.1), InfoNCE()])
def test_the_samples_bring_the_same_bound(bound):
    reading = bound.read(SCORES)
    assert bound.statistic(reading.samples.mean(axis=0)) == pytest.approx(reading.scores.mean())


@pytest.mark.parametrize("bound", [Mine(0.1), InfoNCE()])
def test_missing_others_do_not_count(bound):
    padded = np.pad(SCORES, ((0, 0), (0, 2)), constant_values=np.nan)
    assert np.array_equal(bound.read(padded).scores, bound.read(SCORES).scores)


@pytest.mark.parametrize("bound", [Mine(0.1), InfoNCE()])
def test_scores_far_from_0_do_not_overflow(bound):
    assert bound.read(SCORES + 5000).scores == pytest.approx(bound.read(SCORES).scores)


def test_infonce_never_says_more_than_the_logarithm_of_the_rows_compared():
    scores = np.random.default_rng(0).normal(0, 100, (500, 8))
    assert InfoNCE().read(scores).scores.max() <= math.log(8) + 1e-12


def gradient(bound, scores):
    leaf = torch.tensor(scores, requires_grad=True)
    bound.loss(leaf).backward()
    return leaf.grad.numpy()


def test_gradients_are_those_of_minus_the_bound():
    others = np.exp(SCORES[:, 1:])
    expected = np.hstack([np.full((2, 1), -0.5), others / others.sum()])
    assert gradient(Mine(1.0), SCORES) == pytest.approx(expected)
    shares = np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)
    assert gradient(InfoNCE(), SCORES) == pytest.approx((shares - [1, 0, 0]) / 2)


def test_the_moving_average_takes_the_place_of_the_batch_in_mines_gradient():
    bound, others = Mine(0.25), np.exp(SCORES[:, 1:])
    gradient(bound, np.zeros((2, 3)))  # whose mean is 1
    average = 0.75 * 1 + 0.25 * others.mean()
    assert gradient(bound, SCORES)[:, 1:] == pytest.approx(others / 4 / average)
