"""The learned bound: its values by hand, what it learns, and where its gradients flow."""

import math

import pytest

torch = pytest.importorskip("torch")

from fornet_hf.errors import ConfigurationError  # noqa: E402
from producers.devices.carded import seeded  # noqa: E402
from producers.layers.composition import Layers  # noqa: E402
from producers.layers.learned import LearnedBound  # noqa: E402


def layers(count, *, tied, seed=0):
    """Draw flat colours: those of the background are the foreground's, or their own."""
    draws = torch.Generator().manual_seed(seed)
    foreground = (torch.rand(count, 3, 1, 1, generator=draws) * 2 - 1).expand(-1, -1, 4, 4)
    background = (torch.rand(count, 3, 1, 1, generator=draws) * 2 - 1).expand(-1, -1, 4, 4)
    mask = torch.zeros(count, 1, 4, 4)
    mask[:, :, 1:3] = 1
    return Layers(foreground.clone(), mask, foreground.clone() if tied else background.clone())


@pytest.mark.parametrize("kind", ["laplace", "gaussian"])
def test_likelihoods_are_those_of_the_formula(kind):
    values, mean, scale = torch.tensor([[1.0, -1.0]]), torch.tensor([[0.0, 1.0]]), torch.tensor([[0.5, -0.5]])
    far = [1.0 * math.exp(-0.5), 2.0 * math.exp(0.5)]
    each = [(one if kind == "laplace" else one**2 / 2) + log for one, log in zip(far, (0.5, -0.5), strict=True)]
    assert LearnedBound(kind)._likelihood(mean, scale, values) == pytest.approx(-sum(each) / 2)


@pytest.mark.parametrize("kind", ["laplace", "gaussian"])
def test_a_trained_bound_is_high_for_tied_layers_and_near_0_for_free_ones(kind):
    found = {}
    for tied in (True, False):
        bound = seeded(0, LearnedBound, kind, width=8)
        optimizer = torch.optim.Adam(bound.parameters(), 0.02)
        first = bound.likelihood_loss(layers(64, tied=tied)).item()
        for step in range(40):
            loss = bound.likelihood_loss(layers(64, tied=tied, seed=step))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        assert loss < first - 0.3
        found[tied] = bound.bound(layers(64, tied=tied, seed=999), torch.arange(64).roll(1)).item()
    assert found[True] > 0.1
    assert abs(found[False]) < 0.1 * found[True]


def test_the_bound_reaches_layers_and_no_weights_and_the_likelihood_weights_alone():
    bound, one = seeded(0, LearnedBound, width=4), layers(4, tied=False)
    for each in one:
        each.requires_grad_()
    bound.bound(one, torch.arange(4).roll(1)).backward()
    assert all(each.grad.any() for each in one)
    assert all(weight.grad is None for weight in bound.parameters())
    still = [each.grad.clone() for each in one]
    bound.likelihood_loss(one).backward()
    assert all(weight.grad.any() for weight in bound.parameters())
    assert all(torch.equal(each.grad, before) for each, before in zip(one, still, strict=True))


def test_an_order_that_shuffles_nothing_gives_0():
    bound = seeded(0, LearnedBound, width=4)
    assert bound.bound(layers(3, tied=True), torch.arange(3)) == 0


def test_an_unknown_kind_is_refused():
    with pytest.raises(ConfigurationError, match="kind of a learned bound"):
        LearnedBound("cauchy")
