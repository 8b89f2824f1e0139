"""Fields of light, masks grown and shrunk, and values filled in."""

from __future__ import annotations

import numpy as np

from fornet_hf.evaluation.leakage.fields import filled, grown, light, shrunk


def test_light_is_0_for_white_and_differences_of_a_factor_are_constant():
    field = light(np.array([255, 119, 51], np.uint8))  # with 16 added: 271, 135, 67
    assert np.allclose(field, np.log([1, 135 / 271, 67 / 271]))


def test_a_mask_grows_to_a_square_and_shrinks_back():
    mask = np.zeros((1, 16, 16), bool)
    mask[0, 5, 9] = True
    assert grown(mask, 2).sum() == 25
    assert (shrunk(grown(mask, 2), 2) == mask).all()


def test_unknown_pixels_get_the_mean_of_known_ones_near_them():
    fields = np.zeros((1, 4, 4, 1), np.float32)
    fields[0, :2, :2] = [[[8], [6]], [[0], [0]]]
    known = np.zeros((1, 4, 4), bool)
    known[0, 0, :2] = True
    made = filled(fields, known)[0, ..., 0]
    assert made[0].tolist() == [8, 6, 7, 7]
    assert made[1].tolist() == [7, 7, 7, 7]


def test_a_field_of_which_nothing_is_known_becomes_0():
    assert not filled(np.ones((1, 8, 8, 3), np.float32), np.zeros((1, 8, 8), bool)).any()
