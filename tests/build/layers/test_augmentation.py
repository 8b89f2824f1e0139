"""Augmentation: the identity at strength 0, known changes by hand, distributions, derivatives, adaptive strength."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fornet_hf.errors import ConfigurationError  # noqa: E402
from producers.devices.carded import seeded  # noqa: E402
from producers.layers.augmentation import AdaptiveStrength, Changes, changed, drawn_changes  # noqa: E402
from producers.layers.losses import gradient_penalty  # noqa: E402
from producers.layers.networks.card import LayerSpec  # noqa: E402
from producers.layers.networks.discriminator import Discriminator  # noqa: E402

PLAIN = torch.eye(3, 4)[None]
STILL = torch.eye(2, 3)[None]


def images(count=2, side=6):
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(0))


def drawn(count, strength, side=6, seed=0):
    return drawn_changes(count, strength, side, np.random.default_rng(seed))


def moved(matrix, one=None):
    one = images(1) if one is None else one
    return changed(one, Changes(torch.tensor(matrix, dtype=torch.float32)[None], PLAIN))


@pytest.mark.parametrize("side", [6, 7, 256])
def test_strength_0_is_the_identity_to_the_bit(side):
    one = images(3, side)
    assert torch.equal(changed(one, drawn(3, 0.0, side)), one)


def test_mirrors_quarter_turns_and_whole_translations_move_pixels_as_they_are():
    one = images(1)
    assert torch.equal(moved([[-1, 0, 0], [0, 1, 0]]), one.flip(3))
    assert torch.equal(moved([[0, 1, 0], [-1, 0, 0]]), one.rot90(-1, (2, 3)))
    right = moved([[1, 0, -2], [0, 1, 0]])
    assert torch.equal(right[..., 2:], one[..., :-2])
    assert torch.equal(right[..., :2], one[..., 1:3].flip(3))  # mirrored at the border
    assert torch.equal(moved([[1, 0, 0], [0, 1, 100]]), moved([[1, 0, 0], [0, 1, 0]]))  # 10 times there and back


def test_places_between_pixels_are_their_bilinear_mean():
    one = images(1)
    found = moved([[1, 0, 0.25], [0, 1, 0.5]])
    rows = (one[:, :, :-1] + one[:, :, 1:]) / 2
    want = 0.75 * rows[..., :-1] + 0.25 * rows[..., 1:]
    torch.testing.assert_close(found[..., :-1, :-1], want)


def test_colours_are_multiplied_and_added():
    one, matrix = images(1), torch.randn(1, 3, 4, generator=torch.Generator().manual_seed(2))
    want = torch.einsum("ij,jhw->ihw", matrix[0, :, :3], one[0]) + matrix[0, :, 3, None, None]
    torch.testing.assert_close(changed(one, Changes(STILL, matrix))[0], want)


def test_each_image_has_its_own_change():
    changes, one = drawn(4, 0.9), images(4)
    for number in range(4):
        alone = changed(one[number : number + 1], Changes(*(part[number : number + 1] for part in changes)))
        torch.testing.assert_close(changed(one, changes)[number : number + 1], alone)


def test_changes_happen_as_often_as_they_say():
    chance, side = 0.3, 16
    sources = drawn(20000, chance, side).sources
    still = (sources == STILL).all((1, 2)).double().mean().item()
    # mirrors, quarters, whole translations of -2 to 2, scale, both turns, ratio, translation
    want = (1 - chance / 2) * (1 - chance * 3 / 4) * (1 - chance * 15 / 16) * (1 - chance) ** 4
    assert still == pytest.approx(want, abs=0.01)


def test_changes_reach_as_far_as_they_say():
    sources = drawn(20000, 1.0, 64).sources.double()
    areas = torch.linalg.det(sources[:, :, :2])
    assert (areas < 0).double().mean().item() == pytest.approx(0.5, abs=0.02)
    assert areas.abs().log().std().item() == pytest.approx(2 * 0.2 * math.log(2), rel=0.03)
    lengths = torch.linalg.svdvals(sources[:, :, :2])
    ratio = (lengths[:, 0] / lengths[:, 1]).log() / 2  # of a normal's magnitude
    assert ratio.square().mean().sqrt().item() == pytest.approx(0.2 * math.log(2), rel=0.03)
    directions = torch.atan2(sources[:, 1, 0], sources[:, 0, 0])
    counts, _ = np.histogram(directions.numpy(), 8, (-np.pi, np.pi))
    assert counts.min() > 2300  # of 2,500
    shift = torch.linalg.solve(sources[:, :, :2], sources[:, :, 2:])[:, :, 0]
    expected = 8**2 * (1 + 1 / 3 * 1.037)  # 0.125 of 64: normal, and uniform that was scaled
    assert shift.square().mean().item() == pytest.approx(expected, rel=0.05)


def test_the_same_numbers_are_drawn_whatever_the_strength():
    ends = []
    for strength in (0.0, 0.5, 1.0):
        generator = np.random.default_rng(1)
        drawn_changes(5, strength, 8, generator)
        ends.append(generator.random())
    assert len(set(ends)) == 1


@pytest.mark.parametrize("strength", [-0.1, 1.1, math.nan])
def test_a_strength_that_is_no_probability_is_refused(strength):
    with pytest.raises(ConfigurationError, match="strength"):
        drawn(2, strength)


def test_a_changed_image_is_linear_in_its_pixels():
    one, other, changes = images(3), images(3).flip(0), drawn(3, 1.0)
    nothing = changed(torch.zeros_like(one), changes)
    both = changed(2 * one + other, changes) - nothing
    want = 2 * (changed(one, changes) - nothing) + (changed(other, changes) - nothing)
    torch.testing.assert_close(both, want, rtol=1e-4, atol=1e-5)


def test_it_can_be_derived_twice():
    one = images(2, 4).double().requires_grad_()
    changes = Changes(*(part.double() for part in drawn(2, 1.0, 4)))
    assert torch.autograd.gradcheck(lambda pixels: changed(pixels, changes), one)
    assert torch.autograd.gradgradcheck(lambda pixels: changed(pixels, changes).pow(3), one)


class Quadratic(torch.nn.Module):
    """Half of the squared norm of pixels, each times a weight."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.linspace(0.5, 1.5, 48).view(1, 3, 4, 4))

    def forward(self, one):
        return 0.5 * (self.weight * one).square().sum((1, 2, 3))


def test_r1_of_augmented_images_and_its_gradients_are_those_by_hand():
    one, changes, network = images(2, 4), drawn(2, 0.9, 4, seed=3), Quadratic()
    assert not torch.equal(changed(one, changes), one)
    jacobian = torch.autograd.functional.jacobian(lambda pixels: changed(pixels, changes), one)
    want = 0.0
    for number in range(2):  # the gradient of |w (J x + c)|^2 / 2 is J' w^2 (J x + c)
        matrix = jacobian[number, :, :, :, number].reshape(48, 48)
        slope = matrix.T @ (network.weight**2 * changed(one, changes)[number]).flatten()
        want = want + slope.square().sum() / 2
    found = gradient_penalty(network, one, lambda pixels: changed(pixels, changes))
    torch.testing.assert_close(found, want)
    torch.testing.assert_close(
        torch.autograd.grad(found, network.weight)[0], torch.autograd.grad(want, network.weight)[0]
    )


def test_r1_of_augmented_images_reaches_the_weights_of_the_discriminator():
    network = seeded(0, Discriminator, LayerSpec(side=16, latent=8, style=8, base=128, most=8))
    changes = drawn(4, 0.8, 16)
    gradient_penalty(network, images(4, 16), lambda pixels: changed(pixels, changes)).backward()
    weights = {name: one for name, one in network.named_parameters() if name.endswith("weight")}
    assert [name for name, one in weights.items() if not one.grad.any()] == []


def test_the_strength_rises_while_the_discriminator_is_too_sure_and_stays_within_0_and_1():
    strength = AdaptiveStrength(kimg=1)
    assert strength.update(0.2, 128) == 0
    assert strength.update(0.9, 128) == pytest.approx(0.128)
    assert strength.update(0.6, 128) == pytest.approx(0.128)
    assert strength.update(0.5, 100) == pytest.approx(0.028)
    assert strength.update(1.0, 5000) == 1
    assert AdaptiveStrength(strength.strength, kimg=1).update(-1.0, 500) == pytest.approx(0.5)
