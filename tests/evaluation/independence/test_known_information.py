"""Learned bounds of normal vectors of known information, learned from ever new pairs, scored on others."""

import itertools
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fornet_hf.evaluation.independence.configuration import EstimatorConfig  # noqa: E402
from fornet_hf.evaluation.independence.critics import new_critic  # noqa: E402
from fornet_hf.evaluation.independence.training import held_out, train  # noqa: E402
from tests.evaluation.independence.gaussians import INFORMATION, pairs  # noqa: E402
from tests.one_thread import one_thread  # noqa: E402, F401

SETTINGS = {"critic": "bilinear", "rate": 1e-2, "width": 64, "steps": 150, "every": 75}


def learned(correlation, config):
    """Return the bound of pairs that the critic has not seen."""

    def batches(name):
        draws = np.random.default_rng([name, 0])
        while True:
            yield tuple(map(torch.from_numpy, pairs(correlation, config.batch, draws)))

    critic = new_critic(config.critic, *next(batches(0)), config.width, 0)
    train(critic, batches(1), lambda: itertools.islice(batches(2), 4), config)
    return held_out(critic, itertools.islice(batches(3), 16), config)


def test_mine_is_within_a_quarter_up_to_6_nats_and_rises_above():
    config = EstimatorConfig(estimator="mine", batch=512, **SETTINGS)
    found = {truth: learned(correlation, config) for truth, correlation in INFORMATION.items()}
    for truth in (2, 4, 6):
        assert found[truth] == pytest.approx(truth, rel=0.25)
    assert found[6] < found[8] < found[10]


def test_infonce_stays_below_the_truth_and_the_batchs_logarithm():
    config = EstimatorConfig(estimator="infonce", batch=64, **SETTINGS)
    low, high = learned(INFORMATION[2], config), learned(INFORMATION[10], config)
    assert 1.5 < low < 2
    assert 3.5 < high < math.log(64)


@pytest.mark.parametrize("estimator", ["mine", "infonce"])
def test_independent_pairs_have_no_information(estimator):
    assert abs(learned(0, EstimatorConfig(estimator=estimator, batch=128, **SETTINGS))) < 0.02
