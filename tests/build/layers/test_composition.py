"""Layers composed and shifted."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from producers.layers.composition import Layers, composed, drawn_offsets, shifted  # noqa: E402


def layers(count=2, side=4):
    draws = torch.Generator().manual_seed(0)
    first, mask, second = (torch.rand(count, channels, side, side, generator=draws) for channels in (3, 1, 3))
    return Layers(first, mask, second)


def test_images_are_mixed_by_the_mask():
    one = layers()
    torch.testing.assert_close(composed(one), (1 - one.mask) * one.background + one.mask * one.foreground)
    assert torch.equal(composed(one._replace(mask=torch.ones(2, 1, 4, 4))), one.foreground)
    assert torch.equal(composed(one._replace(mask=torch.zeros(2, 1, 4, 4))), one.background)


def test_foreground_and_mask_move_down_and_right_and_zeros_come_in():
    one = layers()
    found = shifted(one, torch.tensor([[1, -2], [0, 0]]))
    for moved, still in ((found.foreground, one.foreground), (found.mask, one.mask)):
        assert torch.equal(moved[0, :, 1:, :2], still[0, :, :3, 2:])
        assert not moved[0, :, 0].any()
        assert not moved[0, :, :, 2:].any()
        assert torch.equal(moved[1], still[1])
    assert found.background is one.background


def test_what_moves_out_of_the_image_is_gone():
    found = shifted(layers(), torch.tensor([[4, 0], [0, -9]]))
    assert not found.mask.any()
    assert torch.equal(composed(found), layers().background)


def test_gradients_go_back_to_where_pixels_came_from():
    one = layers()
    for each in one:
        each.requires_grad_()
    shifted(one, torch.tensor([[1, 0], [0, 0]])).foreground.sum().backward()
    assert torch.equal(one.foreground.grad[0, 0, :, 0], torch.tensor([1.0, 1, 1, 0]))
    assert one.foreground.grad[1].unique() == 1


def test_offsets_are_whole_pixels_within_reach():
    found = drawn_offsets(5000, 0.125, 64, np.random.default_rng(0))
    assert found.dtype == np.int64
    assert found.shape == (5000, 2)
    assert set(found.ravel()) == set(range(-8, 9))
    assert abs(found.mean()) < 0.2
    assert found.std() == pytest.approx(16 / 12**0.5, rel=0.03)
    assert not drawn_offsets(3, 0.0, 64, np.random.default_rng(0)).any()
