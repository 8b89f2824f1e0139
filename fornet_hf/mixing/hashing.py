"""Normal noise from a key and counters, in integers that are the same on every device."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch

_STEP = 0x9E3779B97F4A7C15  # SplitMix64's constants (Steele, Lea and Flood 2014), modulo 2^64
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def splitmix(start: int, count: int) -> npt.NDArray[np.int64]:
    """Return the first `count` numbers of SplitMix64 from a state: 64 random bits each, as int64."""
    state = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_STEP) + np.uint64(start % 2**64)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(_FIRST)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(_SECOND)
    state ^= state >> np.uint64(31)
    bits: npt.NDArray[np.int64] = state.view(np.int64)
    return bits


def complex_normals(rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Return complex normal noise for each pair of a row and a column, given as int64 random numbers.

    Returns:
        complex64 of len(rows) x len(columns), real and imaginary parts independent with variance 1.
    """
    bits = rows[:, None] + columns[None]
    for factor in (_FIRST, _SECOND):
        bits.bitwise_xor_(bits >> 32).mul_(factor - 2**64)
    low, high = bits.view(torch.int32).view(*bits.shape, 2).unbind(-1)
    # Box and Muller: |low + 1/2| / 2^31 and high / 2^32 are uniform
    radius = low.to(torch.float32).add_(0.5).abs_().log_().mul_(-2).add_(62 * math.log(2)).clamp_(min=0).sqrt_()
    return torch.polar(radius, high.to(torch.float32).mul_(2 * math.pi / 2**32))
