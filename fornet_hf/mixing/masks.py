"""FMix masks in NumPy alone, for any framework: low-frequency shapes whose mean is lambda."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fornet_hf.mixing import ranking
from fornet_hf.mixing.configuration import MaskConfig, checked_alpha, checked_lambdas
from fornet_hf.mixing.noise import complex_normals
from fornet_hf.mixing.spectrum import amplitudes


def lambdas(
    rng: np.random.Generator, count: int, alpha: float, *, reformulate: bool = False
) -> npt.NDArray[np.float64]:
    """Draw shares of the first image from Beta(alpha, alpha), 0 to 1.

    Args:
        rng: the source of randomness.
        count: number of shares.
        alpha: above 0; 1 is uniform, less gives more shares near 0 and 1.
        reformulate: draw from Beta(alpha + 1, alpha), for the loss against the first image's label alone.

    Raises:
        ConfigurationError: an alpha that is not above 0.

    Example:
        >>> import numpy as np
        >>> from fornet_hf.mixing import lambdas
        >>> lambdas(np.random.default_rng(0), 3, alpha=1.0).shape
        (3,)
    """
    first = checked_alpha(alpha)
    return rng.beta(first + reformulate, first, count)


def fmix_masks(
    lam: npt.ArrayLike,
    size: int | Sequence[int],
    rng: np.random.Generator,
    *,
    decay: float = 3.0,
    max_soft: float = 0.0,
    legacy_spectrum: bool = False,
) -> npt.NDArray[np.float32]:
    """Draw a mask for each lambda: 1 where the first image shows, 0 where the second does.

    A map of normal noise, whose frequencies f have amplitudes 1 / f^decay, is cut at the height that leaves lambda of
    its pixels above (Harris et al. 2020, "FMix: Enhancing Mixed Sample Data Augmentation"). The mean of a mask
    is lambda to within one pixel, rounded up or down by a fair draw.

    Args:
        lam: shares of 1, from 0 to 1, one for each mask.
        size: a mask's shape: 1, 2 or 3 numbers of pixels.
        rng: the source of randomness.
        decay: 0 to 100; larger values make smoother outlines.
        max_soft: half the share of pixels between 0 and 1 along the outlines, 0 to 0.5; in each mask no more than
            lambda and 1 - lambda.
        legacy_spectrum: draw as FMix's published code does, which the published figures presumably come from: along
            the last axis a map has no more than its mean and one wave, so a row of a mask is at most one interval,
            the row's end joined to its start.

    Returns:
        float32 of len(lam) x size, 0 to 1.

    Raises:
        ConfigurationError: a value that is not allowed.

    Example:
        >>> import numpy as np
        >>> from fornet_hf.mixing import fmix_masks
        >>> masks = fmix_masks([0.25, 0.5], (32, 32), np.random.default_rng(0))
        >>> masks.shape, masks.mean(axis=(1, 2)).tolist()
        ((2, 32, 32), [0.25, 0.5])
    """
    config = MaskConfig(size=size, decay=decay, max_soft=max_soft, legacy_spectrum=legacy_spectrum)  # type: ignore[arg-type]
    shares = checked_lambdas(lam)
    numbers = ranking.counts(shares, config.pixels, config.max_soft, rng.random(len(shares)))
    made = np.empty((len(shares), config.pixels), np.float32)
    for mask, ones, soft in zip(made, numbers.ones, numbers.soft, strict=True):
        ranking.cut(grey_map(config, rng).ravel(), int(ones), int(soft), out=mask)
    return made.reshape(-1, *config.size)


def grey_map(config: MaskConfig, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Draw the map that a mask is cut from."""
    factors = amplitudes(config)
    spectrum = complex_normals(rng, factors.shape[:-1])
    parts = spectrum.view(np.float32).reshape(factors.shape)
    parts *= factors
    made: npt.NDArray[Any] = np.fft.irfftn(spectrum, config.size, axes=tuple(range(-len(config.size), 0)))
    return made.astype(np.float32, copy=False)  # NumPy 1 transforms in float64
