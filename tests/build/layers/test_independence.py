"""Losses of independence against values by hand, and where their gradients flow."""

import pytest

torch = pytest.importorskip("torch")

from producers.layers.composition import Layers  # noqa: E402
from producers.layers.independence import distance, gaussian, laplace, pairs, within  # noqa: E402

SWAP = torch.tensor([1, 0])


def flat(*colours):
    return torch.tensor(colours)[:, None, None, None].expand(-1, 3, 2, 2).clone()


def layers(foreground=(0.5, -0.5), mask=(0.25, 1.0), background=(0.1, 0.3)):
    return Layers(flat(*foreground), flat(*mask)[:, :1], flat(*background))


def by_hand(far):
    hidden_background, seen_foreground = (0.25 * 0.1, 0.3), (0.25 * 0.5, -0.5)
    hidden_foreground, seen_background = (0.75 * 0.5, 0.0), (0.75 * 0.1, 0.0)
    total = 0.0
    for x, y in ((hidden_background, seen_foreground), (hidden_foreground, seen_background)):
        total += (far(x[1] - y[0]) + far(x[0] - y[1])) / 2 - (far(x[0] - y[0]) + far(x[1] - y[1])) / 2
    return total


def test_bounds_are_those_by_hand():
    assert laplace(layers(), SWAP) == pytest.approx(by_hand(abs))
    assert gaussian(layers(), SWAP) == pytest.approx(by_hand(lambda one: one**2 / 2))
    assert abs(by_hand(abs)) > 0.01


def test_the_distance_is_that_by_hand_and_drives_away_the_hidden_layer():
    one = layers(mask=(0.25, 1.0))
    for each in one:
        each.requires_grad_()
    found = distance(one)
    assert found.item() == pytest.approx(-(0.4 + 0.8) / 2)
    found.backward()
    assert one.foreground.grad.sum((1, 2, 3)).tolist() == pytest.approx([-0.75 / 2, 0])
    assert one.background.grad.sum((1, 2, 3)).tolist() == pytest.approx([0.25 / 2, -1 / 2])
    assert not one.mask.grad.any()


@pytest.mark.parametrize("bound", [laplace, gaussian])
def test_equal_layers_cost_and_those_that_shuffling_does_not_change_cost_nothing(bound):
    draws = torch.Generator().manual_seed(0)
    same, mask = torch.rand(2, 3, 4, 4, generator=draws), torch.full((2, 1, 4, 4), 0.5)
    assert bound(Layers(same, mask, same), SWAP) > 0.05
    assert bound(Layers(same, mask, same), torch.arange(2)) == 0
    alike = layers(mask=(0.5, 0.5), background=(0.2, 0.2))
    constant = alike._replace(foreground=flat(0.7, 0.7))
    assert bound(constant, SWAP) == 0


@pytest.mark.parametrize("bound", [lambda one: laplace(one, SWAP), lambda one: gaussian(one, SWAP), distance])
def test_gradients_reach_the_mask_and_pixels_within_their_range(bound):
    one = layers(foreground=(0.5, -1.5), mask=(0.25, 0.6), background=(2.0, 0.3))
    for each in one:
        each.requires_grad_()
    bound(one).backward()
    assert bound is distance or one.mask.grad.ne(0).all()
    assert [bool(each.any()) for each in one.foreground.grad] == [True, False]
    assert [bool(each.any()) for each in one.background.grad] == [False, True]


def test_gradients_are_those_by_hand():
    one = layers()
    for each in one:
        each.requires_grad_()
    laplace(one, SWAP).backward()
    # of the first image's mask: |x1 - y0| - |x0 - y0| over both pairs, as far as it moves them, halved, and by pixel
    moved = {"foreground seen": -0.5 - (0.5 - 0.1), "background hidden": 0.1 - 0.0}
    rest = {"background seen": -0.1 + (0.5 - 0.1), "foreground hidden": -0.5}
    assert one.mask.grad[0].sum() == pytest.approx((sum(moved.values()) + sum(rest.values())) / 2, abs=1e-6)


def test_pixels_keep_their_values_at_the_end_of_their_range():
    pixels = torch.tensor([-1.0, 1.0, 1.01, -3.0], requires_grad=True)
    found = within(pixels)
    assert torch.equal(found, pixels)
    found.sum().backward()
    assert pixels.grad.tolist() == [1, 1, 0, 0]


def test_pairs_are_hidden_and_seen_parts():
    (hidden_background, seen_foreground), (hidden_foreground, seen_background) = pairs(layers())
    assert hidden_background[:, 0, 0, 0].tolist() == pytest.approx([0.025, 0.3])
    assert seen_foreground[:, 0, 0, 0].tolist() == pytest.approx([0.125, -0.5])
    assert hidden_foreground[:, 0, 0, 0].tolist() == pytest.approx([0.375, 0.0])
    assert seen_background[:, 0, 0, 0].tolist() == pytest.approx([0.075, 0.0])
