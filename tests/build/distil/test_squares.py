"""Squares and changes of colour."""

import numpy as np
import pytest

from producers.distil.squares import Squares, cut
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
