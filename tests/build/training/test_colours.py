"""Changes of colour: how often, how far, and of which part of a colour."""

import numpy as np
import pytest

from producers.training.colours import recolourings


def changes_of(count, chance):
    return recolourings(count, chance, np.random.default_rng(0)).astype(np.float64)


def test_colours_change_as_often_and_as_far_as_they_say():
    changes = changes_of(4000, 0.5)
    grey, added = changes[:, 0, :3].sum(1), changes[:, 0, 3]
    assert (changes_of(9, 0.0) == np.eye(3, 4)).all()
    assert np.mean(added != 0) == pytest.approx(0.5, abs=0.03)
    assert np.mean(grey < 0) == pytest.approx(0.25, abs=0.03)
    plain = np.abs(np.abs(grey) - 1) < 1e-5
    assert np.std(np.log2(np.abs(grey[~plain]))) == pytest.approx(0.5, abs=0.05)
    assert np.std(added[plain & (added != 0)]) == pytest.approx(0.2, abs=0.03)


def test_hues_are_turned_by_any_angle():
    first, second = np.array([1, -1, 0]) / np.sqrt(2), np.array([1, 1, -2]) / np.sqrt(6)
    matrices = changes_of(2000, 1.0)[:, :, :3]
    angles = np.array([np.arctan2(second @ matrix @ first, first @ matrix @ first) for matrix in matrices])
    counts, _ = np.histogram(angles, 8, (-np.pi, np.pi))
    assert counts.min() > 180  # of 250


def test_grey_stays_grey_and_saturation_and_hue_leave_brightness():
    for matrix in changes_of(50, 1.0):
        assert np.allclose(matrix[:, :3] @ np.ones(3), matrix[:, :3].sum(1)[0])
        rest = matrix[:, :3] @ np.array([1.0, -1.0, 0.0])
        assert abs(rest.sum()) < 1e-5
        scale = np.linalg.norm(rest) / np.sqrt(2)
        other = np.linalg.norm(matrix[:, :3] @ np.array([1.0, 1.0, -2.0])) / np.sqrt(6)
        assert scale == pytest.approx(other, rel=1e-5)
