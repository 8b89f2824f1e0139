"""The amplitudes of the frequencies in a grey map, whose brightest pixels are a mask of FMix."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from fornet_hf.mixing.configuration import MaskConfig

Floats = npt.NDArray[np.floating[Any]]


@functools.lru_cache(maxsize=4)
def amplitudes(config: MaskConfig) -> npt.NDArray[np.float32]:
    """Return factors for the real and imaginary parts of normal noise in the frequencies of a grey map.

    Their last axis holds both parts. Noise of their shape, times these, is the spectrum that `irfftn(...,
    s=config.size)` makes a map of. Callers share the array, so it is read only. Its scale means nothing, as only the
    ranks of a map's pixels count.
    """
    factors = (_legacy if config.legacy_spectrum else _isotropic)(config.size, config.decay).astype(np.float32)
    factors.flags.writeable = False
    return factors


def _isotropic(size: tuple[int, ...], decay: float) -> Floats:
    """Return 1 / f^decay, alike in all directions, as FMix's paper has it (Harris et al. 2020).

    The paper takes the real part of the inverse transform of a whole spectrum of complex noise. Half a spectrum has
    the same distribution with a factor of sqrt(2) on the planes of the last axis that are their own mirror images:
    their noise counts once, that of all others twice.
    """
    factors = _decayed([*map(np.fft.fftfreq, size[:-1]), np.fft.rfftfreq(size[-1])], size, decay)
    factors[..., [0, -1] if size[-1] % 2 == 0 else [0]] *= math.sqrt(2)
    return np.stack([factors, factors], axis=-1)


def _legacy(size: tuple[int, ...], decay: float) -> Floats:
    """Return the factors of FMix's published code.

    It takes the first two *rows* of its noise as real and imaginary part, where it means the last axis. So the first
    axis is lost, and the last one, real and imaginary noise, becomes the mean and the first harmonic along the
    last axis of the mask. The frequencies before it are half of those of the second axis (and one more where it is
    odd), in three dimensions after all of those of the third: the transform reads them as frequencies of the
    mask's first axes, cut or filled with zeros to their length. In one dimension nothing is left to decay.
    """
    half = [np.fft.fftfreq(side)[: side // 2 + 1 + side % 2] for side in size[1:2]]
    rows, others = np.fft.fftfreq(size[0])[:2], [*map(np.fft.fftfreq, size[2:]), *half]
    factors = np.moveaxis(_decayed([rows, *others], size, decay), 0, -1)
    return np.stack([factors, factors], axis=-2)


def _decayed(axes: list[Floats], size: tuple[int, ...], decay: float) -> Floats:
    """Return 1 / f^decay on a grid of frequencies f, in waves along the longest side and at least 1."""
    squares = sum(np.square(grid) for grid in np.meshgrid(*axes, indexing="ij", sparse=True))
    factors: Floats = np.maximum(np.sqrt(squares) * max(size), 1.0) ** -decay
    return factors
