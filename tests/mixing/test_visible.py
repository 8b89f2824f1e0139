"""Weights that follow objects, in NumPy and in torch, against loops over pixels."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fornet_hf.mixing.visible import background_weights, visible_shares


@pytest.fixture(params=["numpy", "torch"])
def as_arrays(request):
    """Return a function that turns NumPy arrays into the arrays of a library."""
    if request.param == "numpy":
        return lambda *arrays: arrays
    torch = pytest.importorskip("torch")
    return lambda *arrays: [torch.from_numpy(array) for array in arrays]


@st.composite
def batches(draw):
    """Weights for all or for each, masks with and without objects, partners, lambdas."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    count, height, width = (draw(st.integers(1, most)) for most in (4, 9, 7))
    masks = rng.integers(0, 256, (count, 1, height, width)).astype(np.uint8)
    masks[rng.random(masks.shape) < draw(st.sampled_from([0, 0.5, 0.9, 1]))] = 0
    weights = rng.random((draw(st.sampled_from([1, count])), 1, height, width), dtype=np.float32)
    if draw(st.booleans()):
        weights = weights.round()
    return weights, masks, masks[rng.permutation(count)], rng.random(count, dtype=np.float32)


@given(batches())
def test_shares_are_those_of_a_loop_over_pixels(batch):
    weights, own, other, lam = batch
    for arrays in (batch, _tensors(batch)):
        shares = visible_shares(*arrays)
        for number in range(len(own)):
            ours = theirs = 0.0
            for y, x in np.ndindex(own.shape[2:]):
                weight = float(weights[number % len(weights), 0, y, x])
                ours += weight * own[number, 0, y, x]
                theirs += (1 - weight) * other[number, 0, y, x]
            expected = ours / (ours + theirs) if ours + theirs else lam[number]
            assert float(shares[number]) == pytest.approx(expected, abs=1e-5)


@given(batches())
def test_backgrounds_take_nothing_of_objects_and_no_outline(batch):
    weights, own, other, _ = batch
    made = background_weights(weights, own, other)
    expected = np.broadcast_to(weights, own.shape).copy()
    expected[own > 0] = 1
    for number, mask in enumerate(other[:, 0] > 0):
        if mask.any():
            rows, columns = (np.flatnonzero(lines) for lines in (mask.any(1), mask.any(0)))
            expected[number, 0, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = 1
    assert (made == expected).all()
    assert made.dtype == np.float32
    assert (np.asarray(background_weights(*_tensors(batch)[:3])) == expected).all()


def _tensors(batch):
    try:
        return [importlib.import_module("torch").from_numpy(array) for array in batch]
    except ImportError:
        return batch


def square(first, last, level=255):
    """A mask of 8 x 8 with a square from a row and column to another."""
    mask = np.zeros((1, 1, 8, 8), np.uint8)
    mask[:, :, first:last, first:last] = level
    return mask


LEFT = (np.arange(8) < 4).astype(np.float32).reshape(1, 1, 1, 8)
LAM = np.full(1, 0.3, np.float32)


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        (square(0, 4), square(4, 8), 0.5),  # both are seen whole
        (square(0, 4), square(6, 8), 0.8),  # 16 pixels and 4
        (square(0, 4), square(0, 4), 1.0),  # the other's is covered
        (square(4, 8), square(4, 8), 0.0),
        (square(2, 6), square(2, 6, 85), 0.75),  # a soft object counts in part
        (square(4, 8), square(0, 4), 0.3),  # neither is seen
        (square(0, 0), square(0, 0), 0.3),  # there is none
        (square(0, 0), square(4, 8), 0.0),
    ],
)
def test_labels_follow_what_is_seen(own, other, expected, as_arrays):
    assert float(visible_shares(*as_arrays(LEFT, own, other, LAM))[0]) == pytest.approx(expected)


def test_in_mixup_both_are_seen_everywhere(as_arrays):
    weights = np.full((1, 1, 1, 1), 0.25, np.float32)
    shares = visible_shares(*as_arrays(weights, square(0, 6), square(0, 2), LAM))
    assert float(shares[0]) == pytest.approx(0.25 * 36 / (0.25 * 36 + 0.75 * 4))


def test_large_masks_are_summed_well(as_arrays):
    """The sum of bytes goes beyond what float32 counts exactly."""
    own = np.full((1, 1, 1024, 1024), 255, np.uint8)
    shares = visible_shares(*as_arrays(np.full((1, 1, 1, 1), 1 / 3, np.float32), own, own, LAM))
    assert float(shares[0]) == pytest.approx(1 / 3, abs=1e-5)
