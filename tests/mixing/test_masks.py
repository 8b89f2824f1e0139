"""Masks of NumPy: their means, their soft edges, and the lambdas that they are drawn for."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from fornet_hf.mixing.masks import fmix_masks, lambdas

SIZES = [7, (1,), (32, 32), (9, 14), (14, 9), (1, 8), (8, 1), (4, 5, 6), (2, 2, 2)]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("legacy", [False, True], ids=["isotropic", "legacy"])
@pytest.mark.parametrize("soft", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_mean_is_lambda_to_within_a_pixel(rng, size, soft, legacy):
    if legacy and np.atleast_1d(size)[0] == 1:
        pytest.skip("refused")
    lam = np.concatenate([[0, 1, 0.5], lambdas(rng, 20, 0.5)])
    masks = fmix_masks(lam, size, rng, max_soft=soft, legacy_spectrum=legacy)
    assert masks.shape == (23, *np.atleast_1d(size))
    assert masks.dtype == np.float32
    assert masks.min() >= 0
    assert masks.max() <= 1
    means = masks.reshape(23, -1).mean(1, dtype=np.float64)
    assert (abs(means - lam) < 1 / masks[0].size + 1e-7).all()
    if not soft:
        assert np.isin(masks, [0, 1]).all()


def test_lambdas_have_the_moments_of_their_distribution(rng):
    uniform = lambdas(rng, 20_000, 1)
    assert uniform.mean() == pytest.approx(1 / 2, abs=0.01)
    assert uniform.var() == pytest.approx(1 / 12, abs=0.003)
    assert lambdas(rng, 20_000, 1, reformulate=True).mean() == pytest.approx(2 / 3, abs=0.01)
    assert lambdas(rng, 20_000, 0.2).var() == pytest.approx(1 / 4 / 1.4, abs=0.005)  # 1 / (4 (2 alpha + 1))


@pytest.mark.parametrize(("lam", "share"), [(0.3, 0.197), (0.7, 0.197), (0.02, 0.037)])
def test_the_soft_share_is_no_larger_than_either_image_s(rng, lam, share):
    masks = fmix_masks([lam] * 50, (32, 32), rng, max_soft=0.1)
    soft = ((masks > 0) & (masks < 1)).mean(axis=(1, 2))
    assert np.allclose(soft, share, atol=0.0005)


def test_no_lambda_no_mask(rng):
    assert fmix_masks([], (3, 4), rng).shape == (0, 3, 4)


def test_a_generator_determines_masks():
    def draw(seed):
        return fmix_masks([0.3, 0.6], (16, 16), np.random.default_rng(seed))

    assert np.array_equal(draw(1), draw(1))
    assert not np.array_equal(draw(1), draw(2))


def test_numpy_is_all_that_masks_need():
    program = """
import sys
import numpy as np
rng = np.random.default_rng(0)
before = set(sys.modules)
from fornet_hf.mixing.masks import fmix_masks
fmix_masks([0.5], (8, 8), rng)
packages = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(packages - set(sys.stdlib_module_names)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['fornet_hf', 'numpy']"  # numpy: its FFT
