"""Parameters of FMix masks, validated here, once, for NumPy, torch and the mixers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fornet_hf.arguments import is_integer, is_number, plain, require
from fornet_hf.errors import ConfigurationError, explain


@dataclass(frozen=True, kw_only=True)
class MaskConfig:
    """The distribution of a mask, beside lambda.

    Attributes:
        size: the mask's shape: 1, 2 or 3 numbers of pixels, e.g. (height, width).
        decay: power by which amplitudes fall with frequency, 0 to 100; larger values make smoother outlines.
        max_soft: half the share of the pixels that may lie between 0 and 1, 0 to 0.5; no larger than lambda and
            1 - lambda in each mask.
        legacy_spectrum: the spectrum of FMix's published code, rather than the isotropic one of its paper.

    Raises:
        ConfigurationError: a value that is not allowed.
    """

    size: tuple[int, ...]
    decay: float = 3.0
    max_soft: float = 0.0
    legacy_spectrum: bool = False

    def __post_init__(self) -> None:
        for name in ("size", "decay", "max_soft", "legacy_spectrum"):
            object.__setattr__(self, name, plain(getattr(self, name)))
        size: Any = (self.size,) if is_integer(self.size) else self.size
        fits = isinstance(size, (tuple, list)) and 1 <= len(size) <= 3
        fits = fits and all(is_integer(side) and side >= 1 for side in size)
        require(fits, "size", self.size, "1 to 3 numbers of pixels, each 1 or more")
        object.__setattr__(self, "size", tuple(size))
        require(is_number(self.decay) and 0 <= self.decay <= 100, "decay", self.decay, "0 to 100")
        require(is_number(self.max_soft) and 0 <= self.max_soft <= 0.5, "max_soft", self.max_soft, "0 to 0.5")
        require(isinstance(self.legacy_spectrum, bool), "legacy_spectrum", self.legacy_spectrum, "True or False")
        if self.legacy_spectrum and self.size[0] == 1:
            then = "The published code takes noise from the first two rows. Leave legacy_spectrum out."
            message = explain("legacy_spectrum needs a size of 2 or more in front", found=self.size, then=then)
            raise ConfigurationError(message)

    @property
    def pixels(self) -> int:
        """Number of pixels of a mask."""
        return math.prod(self.size)


def checked_alpha(alpha: Any) -> float:
    """Return the parameter of the Beta distribution; raise ConfigurationError unless it is a number above 0."""
    number = plain(alpha)
    require(is_number(number) and 0 < number < math.inf, "alpha", alpha, "above 0")
    return float(number)


def checked_lambdas(lam: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return lambdas as an array of one dimension; raise ConfigurationError unless all are numbers from 0 to 1."""
    try:
        values = np.atleast_1d(np.asarray(lam, np.float64))
    except (TypeError, ValueError):
        values = np.full(1, np.nan)
    fits = values.ndim == 1 and bool(((values >= 0) & (values <= 1)).all())
    require(fits, "lam", lam, "a list of numbers from 0 to 1")
    return values


def checked_key(key: Any) -> int:
    """Return the key of a stream of random numbers; raise ConfigurationError unless it is an integer of 63 bits."""
    number = plain(key)
    require(is_integer(number) and 0 <= number < 2**63, "key", key, "an integer from 0 to 2^63 - 1")
    return int(number)
