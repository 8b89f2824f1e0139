"""Normal noise of NumPy's generators."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt


def complex_normals(rng: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.complex64]:
    """Draw complex normal noise of variance 1, whose real and imaginary parts are independent.

    Its square is exponential and its angle uniform (Box and Muller 1958): half the time of two normal numbers.
    """
    radius = np.sqrt(rng.standard_exponential(shape, np.float32))
    angle = rng.random(shape, np.float32) * np.float32(2 * math.pi)
    noise = np.empty(shape, np.complex64)
    np.multiply(radius, np.cos(angle), out=noise.real)
    np.multiply(radius, np.sin(angle), out=noise.imag)
    return noise
