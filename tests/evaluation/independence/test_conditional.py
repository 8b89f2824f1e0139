"""CLUB with a given conditional: above the truth if it is the true one, 0 where nothing is shared."""

import numpy as np
import pytest

from fornet_hf.evaluation.independence.closed_form import scores
from fornet_hf.evaluation.independence.conditional import club
from fornet_hf.evaluation.independence.partners import drawn_partners
from fornet_hf.recombination.draw.rng import generator
from tests.evaluation.independence.gaussians import DIMENSIONS, INFORMATION, pairs

ROWS = 4000


def bound(correlation, believed):
    """Return CLUB of pairs of this correlation, with the conditional of the one believed."""

    def log_conditional(x, y):
        return -((y - believed * x) ** 2).sum(axis=1) / (2 * (1 - believed**2))

    x, y = pairs(correlation, ROWS, np.random.default_rng(0))
    return club(log_conditional, x, y, drawn_partners([0] * ROWS, 8, generator("partners", 0)))


@pytest.mark.parametrize(("truth", "correlation"), INFORMATION.items())
def test_the_bound_with_the_true_conditional_lies_above_the_truth(truth, correlation):
    found = bound(correlation, correlation).mean()
    assert found > truth
    assert found == pytest.approx(DIMENSIONS * correlation**2 / (1 - correlation**2), rel=0.05)


def test_independent_pairs_score_0_whatever_the_conditional():
    found = bound(0, 0.5)
    assert abs(found.mean()) < 3 * found.std() / ROWS**0.5


def test_the_closed_form_is_the_bound_with_a_normal_distribution_around_x():
    x, y = pairs(0.5, 100, np.random.default_rng(0))
    partners = drawn_partners([0] * 100, 4, generator("partners", 0))
    found = club(lambda x, y: -((y - x) ** 2).mean(axis=1) / 2, x, y, partners)
    # It shuffles what is hidden, that is y here.
    assert np.allclose(scores(x, y, np.ones(x.shape, bool), partners, kind="gaussian"), found, atol=1e-5)
