"""Normal noise from a key and counters, in integers that are the same on every device."""

from __future__ import annotations

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


def normals(rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Return two normal numbers of variance 1/2 for each pair of a row and a column.

    Two rounds of multiplying and folding hash the sum of two random numbers. Each half of the 64 bits is uniform and
    becomes normal by the inverse error function. On a GPU, passes over memory are what costs: there are seven.

    Args:
        rows, columns: int64, random numbers.

    Returns:
        float32 of len(rows) x len(columns) x 2, up to 5.4 standard deviations from 0.
    """
    bits = rows[:, None] + columns
    halves = bits.view(torch.int32).view(*bits.shape, 2)
    for factor in (_FIRST, _SECOND):
        halves[..., 0].bitwise_xor_(halves[..., 1])
        bits.mul_(factor - 2**64)
    within_one = torch.tensor((1 - 2**-24) / 2**31, dtype=torch.float32)
    return (halves * within_one).erfinv_()
