"""Noise of NumPy's generators is normal."""

from __future__ import annotations

import numpy as np
import pytest

from fornet_hf.mixing.noise import complex_normals


def test_real_and_imaginary_parts_are_normal_and_independent():
    noise = complex_normals(np.random.default_rng(0), (200, 500))
    assert noise.dtype == np.complex64
    real, imaginary = noise.real.ravel().astype(float), noise.imag.ravel().astype(float)
    for part in (real, imaginary):
        assert part.mean() == pytest.approx(0, abs=0.01)
        assert part.var() == pytest.approx(0.5, abs=0.01)
        assert (part**4).mean() / part.var() ** 2 == pytest.approx(3, abs=0.06)
    assert np.corrcoef(real, imaginary)[0, 1] == pytest.approx(0, abs=0.015)
    assert np.corrcoef(real**2, imaginary**2)[0, 1] == pytest.approx(0, abs=0.015)
