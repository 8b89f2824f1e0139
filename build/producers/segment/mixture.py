"""A mask from a map of how much each pixel is the object: a mixture of two Gaussians says where to cut.

Dombrowski et al., "Foreground-Background Separation through Concept Distillation from Generative Image Foundation
Models", ICCV 2023: the threshold of an image is the mean of the two means of the mixture fitted to its values.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fornet_hf.format.masks import Mask

_LEVELS = 4096  # values nearer to each other than 1/4096 of their range count as their mean
_ITERATIONS, _TOLERANCE, _FLOOR = 100, 1e-3, 1e-6  # as of scikit-learn's GaussianMixture: the published code's
Floats = npt.NDArray[np.float64]


def threshold(values: npt.ArrayLike) -> np.float64 | None:
    """Return the value above which a pixel is the object: the mean of the means of two Gaussians.

    They are fitted to one image's values by expectation maximisation, stopped as scikit-learn's `GaussianMixture`
    stops by default. That starts from a random 2-means; this from the best one, which on a line is Otsu's cut, so
    that the same values always give the same threshold. Values are scaled to 0 to 1 first, so it moves and scales
    with them. From the same start both agree to 1e-5 of the values' range, and scikit-learn takes 100 times as long.

    Args:
        values: numbers of any shape, in any unit.

    Returns:
        In the unit of the values, and between them also where float32 has no number; None where they are all equal,
        or there is none.

    Raises:
        ValueError: a value is not finite.
    """
    flat = np.asarray(values, np.float64).ravel()
    if not np.isfinite(flat).all():
        raise ValueError("a mixture cannot be fitted: some values are not finite")
    if not flat.size or flat.min() == flat.max():
        return None
    low, span = float(flat.min()), float(np.ptp(flat))
    scaled = (flat - low) / span
    level = np.minimum(scaled * _LEVELS, _LEVELS - 1).astype(np.intp)
    counts = np.bincount(level, minlength=_LEVELS)
    found = counts > 0
    points = np.bincount(level, weights=scaled, minlength=_LEVELS)[found] / counts[found]
    weights = counts[found] / flat.size
    # of NumPy, so that numbers of float32 are compared with it as float64
    cut: np.float64 = np.float64(low + span * _means(points, weights).mean())
    return cut


def _means(points: Floats, weights: Floats) -> Floats:
    """Return the means of the two Gaussians of distinct points (ascending, at least two) whose weights sum to 1."""
    lower = np.arange(len(points)) < _otsu(points, weights)
    shares = np.stack([lower, ~lower]).astype(np.float64)  # of the two Gaussians in each point
    before = after = -np.inf
    for _ in range(1 + _ITERATIONS):
        parts = shares * weights
        sizes = parts.sum(1)
        means: Floats = parts @ points / sizes
        if after - before < _TOLERANCE:
            break
        squares = (points - means[:, None]) ** 2
        variances = (parts * squares).sum(1) / sizes + _FLOOR
        logs = np.log(sizes / np.sqrt(2 * np.pi * variances))[:, None] - squares / (2 * variances[:, None])
        total = np.logaddexp(*logs)
        shares = np.exp(logs - total)
        before, after = after, float(weights @ total)
    return means


def _otsu(points: Floats, weights: Floats) -> int:
    """Return how many points are in the lower of the two classes whose means differ most (Otsu, 1979)."""
    size = weights.cumsum()[:-1]
    moment = (weights * points).cumsum()
    between = (moment[-1] * size - moment[:-1]) ** 2 / (size * (1 - size))
    return int(between.argmax()) + 1


def without_orphans(mask: Mask) -> Mask:
    """Return the mask in which each pixel is what most of the nine around it are; those at the edge stay.

    The mean of 3 x 3 pixels has to be 0.5 or more, where all nine are in the image.
    """
    result: Mask = mask.copy()
    if min(mask.shape) >= 3:
        pixels = mask.view(np.uint8)
        rows = pixels[:-2] + pixels[1:-1] + pixels[2:]
        result[1:-1, 1:-1] = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:] >= 5
    return result
