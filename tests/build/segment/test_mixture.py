"""The threshold of a mixture of two Gaussians, and pixels that stand alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from producers.segment.mixture import threshold, without_orphans


def two_peaks(rng, n):
    return np.concatenate([rng.normal(0.2, 0.05, n * 3 // 4), rng.normal(0.6, 0.1, n // 4)])


def overlapping(rng, n):
    return np.concatenate([rng.normal(0.3, 0.1, n * 3 // 4), rng.normal(0.45, 0.15, n // 4)])


def attention(rng, n):
    return rng.gamma(2, 0.004, n) + np.where(np.arange(n) < n // 5, 0.02, 0)


def mostly_zero(rng, n):
    values = np.abs(rng.normal(np.where(np.arange(n) < n // 10, 0.4, 0), 0.05))
    return np.where(rng.random(n) < 0.7, 0, values)


KINDS = [two_peaks, overlapping, attention, mostly_zero]


def as_published(values, **start):
    """The threshold by scikit-learn, on values from 0 to 1; random_state=None is what the authors' code has."""
    mixture = pytest.importorskip("sklearn.mixture")
    low, span = values.min(), np.ptp(values)
    fitted = mixture.GaussianMixture(n_components=2, **start).fit(((values - low) / span).reshape(-1, 1))
    return low + span * fitted.means_.mean()


def best_two_means(values):
    """Weights, means and precisions of the split that has the least squares, found among all of them."""
    ordered = np.sort((values - values.min()) / np.ptp(values))
    cost = [at * ordered[:at].var() + (len(ordered) - at) * ordered[at:].var() for at in range(1, len(ordered))]
    parts = np.split(ordered, [int(np.argmin(cost)) + 1])
    return {
        "weights_init": [len(part) / len(ordered) for part in parts],
        "means_init": [[part.mean()] for part in parts],
        "precisions_init": [[[1 / (part.var() + 1e-6)]] for part in parts],
    }


@pytest.mark.parametrize("kind", KINDS)
def test_equals_scikit_learn_from_the_same_start(kind):
    values = kind(np.random.default_rng(1), 4096)
    assert abs(threshold(values) - as_published(values, **best_two_means(values))) < 1e-5 * np.ptp(values)


@pytest.mark.parametrize("kind", KINDS)
def test_is_as_near_to_the_published_code_as_that_is_to_itself(kind):
    values = kind(np.random.default_rng(2), 4096)
    others = [as_published(values, random_state=seed) for seed in range(8)]
    assert min(others) - 1e-4 * np.ptp(values) < threshold(values) < max(others) + 1e-4 * np.ptp(values)


def test_lies_midway_between_two_narrow_peaks_however_many_values_each_has():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(10, 0.1, 3900), rng.normal(20, 0.1, 196)])
    assert threshold(values.reshape(64, 64)) == pytest.approx(15, abs=0.02)


def test_two_values_are_cut_in_the_middle():
    assert threshold(np.array([[0, 0, 0], [0, 255, 0]], np.uint8)) == pytest.approx(127.5)


@given(
    values=arrays(np.float64, st.integers(2, 60), elements=st.floats(0, 1, width=16)),
    scale=st.floats(1e-6, 1e6),
    shift=st.floats(-10, 10),
)
def test_lies_inside_and_scales_and_moves_with_the_values(values, scale, shift):
    found, moved = threshold(values), threshold(values * scale + shift * scale)
    if found is None:
        assert moved is None
    else:
        assert values.min() < found < values.max()
        assert moved == pytest.approx(found * scale + shift * scale, abs=5e-3 * scale)


@pytest.mark.parametrize("values", [np.full((64, 64), 0.3), np.zeros(1), np.empty(0)])
def test_a_constant_map_has_none(values):
    assert threshold(values) is None


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(odd):
    with pytest.raises(ValueError, match="not finite"):
        threshold(np.array([0.0, 1.0, odd]))


def by_nine(mask):
    """The filter, pixel by pixel."""
    result = mask.copy()
    for y in range(1, mask.shape[0] - 1):
        for x in range(1, mask.shape[1] - 1):
            result[y, x] = mask[y - 1 : y + 2, x - 1 : x + 2].mean() >= 0.5
    return result


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 5), (3, 3), (3, 8), (40, 30)])
def test_each_pixel_becomes_what_most_around_it_are_and_the_edge_stays(shape):
    mask = np.random.default_rng(0).random(shape) < 0.5
    before = mask.copy()
    assert np.array_equal(without_orphans(mask), by_nine(mask))
    assert np.array_equal(mask, before)


def test_orphans_go_and_pinholes_close():
    mask = np.zeros((20, 20), bool)
    mask[5:15, 5:15] = True
    clean = without_orphans(mask)
    mask[2, 2], mask[10, 10] = True, False
    assert np.array_equal(without_orphans(mask), clean)


def test_the_threshold_parts_neighbours_among_numbers_of_float32():
    low = np.float32(0.013)
    values = np.array([low, np.nextafter(low, np.float32(1))])
    assert (values > threshold(values)).tolist() == [False, True]
