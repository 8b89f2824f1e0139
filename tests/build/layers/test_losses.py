"""Losses against values by hand, and their gradients."""

import math

import pytest

torch = pytest.importorskip("torch")

from producers.devices.carded import seeded  # noqa: E402
from producers.layers.losses import (  # noqa: E402
    binary_loss,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    size_loss,
)
from producers.layers.networks.card import LayerSpec  # noqa: E402
from producers.layers.networks.discriminator import Discriminator  # noqa: E402


def masks(*shares):
    return torch.tensor(shares)[:, None, None, None].expand(-1, 1, 2, 2).clone()


def test_binary_masks_cost_nothing_and_grey_ones_most():
    assert binary_loss(masks(0.0, 1.0)) == 0
    assert binary_loss(masks(0.5)) == 0.5
    assert binary_loss(masks(0.1, 0.8)) == pytest.approx(0.15)
    mask = masks(0.1, 0.8).requires_grad_()
    binary_loss(mask).backward()
    assert mask.grad[:, 0, 0, 0].tolist() == [1 / 8, -1 / 8]


def test_each_mask_that_is_too_small_costs_and_full_ones_do_not_make_up_for_it():
    assert size_loss(masks(0.25, 0.9)) == 0
    assert size_loss(masks(0.05, 1.0)) == pytest.approx(0.1)
    assert size_loss(masks(0.05, 1.0), 0.25, 0.8) == pytest.approx(0.2)
    assert size_loss(masks(0.3), 0.4) == pytest.approx(0.1)
    mask = masks(0.05, 1.0).requires_grad_()
    size_loss(mask).backward()
    assert mask.grad[:, 0, 0, 0].tolist() == [-1 / 8, 0]


def test_adversarial_losses_are_those_of_the_formulas():
    logits, real = torch.tensor([0.0, 2.0]), torch.tensor([1.0, -1.0])

    def soft(value):
        return math.log1p(math.exp(value))

    assert generator_loss(logits) == pytest.approx((soft(0) + soft(-2)) / 2)
    want = (soft(-1) + soft(1)) / 2 + (soft(0) + soft(2)) / 2
    assert discriminator_loss(real, logits) == pytest.approx(want)


class Quadratic(torch.nn.Module):
    """Half of `x A x`, plus `b x`, for a symmetric A: its gradient is `A x + b`."""

    def __init__(self):
        super().__init__()
        draws = torch.Generator().manual_seed(0)
        self.part = torch.nn.Parameter(torch.randn(12, 12, generator=draws))
        self.linear = torch.nn.Parameter(torch.randn(12, generator=draws))

    @property
    def matrix(self):
        return self.part + self.part.T

    def forward(self, images):
        pixels = images.flatten(1)
        return 0.5 * ((pixels @ self.matrix) * pixels).sum(1) + pixels @ self.linear


def test_r1_of_a_quadratic_and_its_gradients_are_those_by_hand():
    network, images = Quadratic(), torch.randn(5, 3, 2, 2, generator=torch.Generator().manual_seed(1))
    want = (images.flatten(1) @ network.matrix + network.linear).square().sum(1).mean()
    found = gradient_penalty(network, images)
    torch.testing.assert_close(found, want)
    both = [torch.autograd.grad(one, list(network.parameters())) for one in (found, want)]
    for one, other in zip(*both, strict=True):
        torch.testing.assert_close(one, other)


def test_r1_looks_through_the_change_at_the_images_before_it():
    network, images = Quadratic(), torch.randn(5, 3, 2, 2, generator=torch.Generator().manual_seed(1))
    want = (2 * (2 * images.flatten(1) @ network.matrix + network.linear)).square().sum(1).mean()
    torch.testing.assert_close(gradient_penalty(network, images, lambda one: 2 * one), want)


def test_r1_is_float32_under_autocast_and_reaches_all_weights_that_images_meet():
    network = seeded(0, Discriminator, LayerSpec(side=16, latent=8, style=8, base=128, most=8))
    images = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    plain = gradient_penalty(network, images)
    with torch.autocast("cpu", torch.bfloat16):
        found = gradient_penalty(network, images.bfloat16().float())
        same = gradient_penalty(network, images)
    assert found.dtype == torch.float32
    assert torch.equal(same, plain)
    plain.backward()
    weights = {name: one for name, one in network.named_parameters() if name.endswith("weight")}
    assert [name for name, one in weights.items() if not one.grad.any()] == []
