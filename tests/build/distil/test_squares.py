"""Squares and changes of colour."""

import numpy as np
import pytest

from producers.distil.squares import Squares, cut, recolouring
from producers.distil.store import TRAIN, PairStore
from producers.training.visits import Visit


@pytest.fixture
def store(tmp_path):
    """Two pairs whose red is the row and whose green the column."""
    shapes = [(8, 12), (10, 8)]
    layers = []
    for height, width in shapes:
        y, x = np.mgrid[:height, :width].astype(np.uint8)
        layers.append(np.dstack([y, x, 0 * x, 255 * (x > 3).astype(np.uint8)]))
    (tmp_path / "pairs.bin").write_bytes(b"".join(one.tobytes() for one in layers))
    return PairStore(tmp_path, {"shapes": shapes, "splits": [TRAIN, TRAIN], "keys": ["a", "b"]})


def squares(store, **options):
    defaults = {"side": 8, "flip": True, "colour": 0.0, "seed": 0, "numbers": np.arange(2)}
    return Squares(store=store, **{**defaults, **options})


def test_squares_are_whole_parts_of_their_pairs_and_every_place_occurs(store):
    visits = [Visit(epoch, 0) for epoch in range(200)]
    found, colours = squares(store, flip=False).batch(visits)
    assert found.shape == (200, 8, 8, 4)
    assert colours is None
    lefts = found[:, 0, 0, 1]
    assert {*lefts.tolist()} == {0, 1, 2, 3, 4}
    assert (found[..., 1] == lefts[:, None, None] + np.arange(8)).all()
    assert (found[..., 0] == np.arange(8)[:, None]).all()


def test_half_of_the_squares_are_mirrored_together_with_their_masks(store):
    found, _ = squares(store).batch([Visit(epoch, 1) for epoch in range(200)])
    mirrored = found[:, 0, 0, 1] > found[:, 0, -1, 1]
    assert 70 < mirrored.sum() < 130
    assert ((found[..., 3] > 0) == (found[..., 1] > 3)).all()


def test_a_visit_looks_the_same_in_any_batch_and_another_epoch_does_not(store):
    visits = [Visit(epoch, index) for epoch in range(3) for index in (1, 0)]
    together, _ = squares(store).batch(visits)
    for visit, square in zip(visits, together, strict=True):
        assert (squares(store).batch([visit])[0][0] == square).all()
    assert (squares(store, seed=1).batch(visits)[0] != together).any()


def test_the_centre_is_cut_by_default():
    layers = np.zeros((8, 14, 4), np.uint8)
    layers[:, 3:11] = 1
    assert cut(layers, 8).all()


def test_colours_change_as_often_and_as_far_as_they_say():
    changes = np.stack([recolouring(0.5, 0, number) for number in range(4000)]).astype(np.float64)
    grey, added = changes[:, 0, :3].sum(1), changes[:, 0, 3]
    assert (recolouring(0.0, 0, 1) == np.eye(3, 4)).all()
    assert np.mean(added != 0) == pytest.approx(0.5, abs=0.03)
    assert np.mean(grey < 0) == pytest.approx(0.25, abs=0.03)
    plain = np.abs(np.abs(grey) - 1) < 1e-5
    assert np.std(np.log2(np.abs(grey[~plain]))) == pytest.approx(0.5, abs=0.05)
    assert np.std(added[plain & (added != 0)]) == pytest.approx(0.2, abs=0.03)


def test_hues_are_turned_by_any_angle():
    first, second = np.array([1, -1, 0]) / np.sqrt(2), np.array([1, 1, -2]) / np.sqrt(6)
    matrices = [recolouring(1.0, 3, number).astype(np.float64)[:, :3] for number in range(2000)]
    angles = np.array([np.arctan2(second @ matrix @ first, first @ matrix @ first) for matrix in matrices])
    counts, _ = np.histogram(angles, 8, (-np.pi, np.pi))
    assert counts.min() > 180  # of 250


def test_grey_stays_grey_and_saturation_and_hue_leave_brightness():
    for number in range(50):
        matrix = recolouring(1.0, 7, number).astype(np.float64)
        assert np.allclose(matrix[:, :3] @ np.ones(3), matrix[:, :3].sum(1)[0])
        rest = matrix[:, :3] @ np.array([1.0, -1.0, 0.0])
        assert abs(rest.sum()) < 1e-5
        scale = np.linalg.norm(rest) / np.sqrt(2)
        other = np.linalg.norm(matrix[:, :3] @ np.array([1.0, 1.0, -2.0])) / np.sqrt(6)
        assert scale == pytest.approx(other, rel=1e-5)
