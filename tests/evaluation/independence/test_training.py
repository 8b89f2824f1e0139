"""Training of a critic: it keeps its best weights, stops when nothing is to be learned, and scores whole batches."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fornet_hf.evaluation.independence.configuration import EstimatorConfig  # noqa: E402
from fornet_hf.evaluation.independence.critics import new_critic  # noqa: E402
from fornet_hf.evaluation.independence.training import scored, train  # noqa: E402
from tests.evaluation.independence.gaussians import pairs  # noqa: E402

CONFIG = EstimatorConfig(width=8, batch=16, steps=40, every=5, patience=2)


def batches(count, correlation, seed):
    draws = np.random.default_rng(seed)
    return [tuple(map(torch.from_numpy, pairs(correlation, 16, draws))) for _ in range(count)]


def test_a_critic_that_only_learns_by_heart_stops_early_and_stays_at_0():
    learned = batches(1, 0, 0) * 40
    kept, rest = batches(4, 0, 1), iter(learned)
    critic = new_critic("separable", *kept[0], 8, 0)
    train(critic, rest, lambda: iter(kept), CONFIG)
    assert len(list(rest)) == 40 - 2 * 5
    assert not scored(critic, iter(kept), CONFIG).any()


def test_a_critic_that_learns_goes_on_to_the_end():
    kept, rest = batches(4, 0.95, 1), iter(batches(40, 0.95, 0))
    critic = new_critic("bilinear", *kept[0], 8, 0)
    train(critic, rest, lambda: iter(kept), CONFIG)
    assert list(rest) == []
    scores = scored(critic, iter(kept), CONFIG)
    assert scores.shape == (64, 16)
    assert scores[:, 0].mean() > scores[:, 1:].mean() + 0.1


@pytest.mark.parametrize(("others", "missing"), [(None, [2, 0]), (3, [1, 0]), (1, [0, 0])])
def test_rows_compared_with_fewer_others_end_with_nan(others, missing):
    x, y = torch.zeros(8, 4), torch.zeros(8, 4)
    critic = new_critic("separable", x, y, 8, 0)
    found = scored(critic, iter([(x[:3], y[:3]), (x[3:], y[3:])]), EstimatorConfig(others=others))
    assert np.isnan(found).sum(axis=1).tolist() == [missing[0]] * 3 + [missing[1]] * 5
