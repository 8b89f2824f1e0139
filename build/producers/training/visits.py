"""The order in which samples are visited, as a pure function of the seed: a training that goes on needs no state."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fornet_hf.recombination.draw.rng import generator


class Visit(NamedTuple):
    """One look at a sample: the `sample`, from 0, in an `epoch`, from 0. The pair names the visit's randomness."""

    epoch: int
    sample: int


@dataclass(frozen=True)
class Visits:
    """All samples in one random order after another.

    Attributes:
        seed: of the orders.
        count: of the samples, at least 1.
    """

    seed: int
    count: int

    def batch(self, step: int, size: int) -> list[Visit]:
        """Return the visits of a step, from 0, whose batches have so many samples."""
        return [self._at(position) for position in range(step * size, (step + 1) * size)]

    def _at(self, position: int) -> Visit:
        epoch, place = divmod(position, self.count)
        return Visit(epoch, int(_order(self.seed, self.count, epoch)[place]))


@lru_cache(maxsize=2)  # a batch may begin in one epoch and end in the next
def _order(seed: int, count: int, epoch: int) -> npt.NDArray[np.int64]:
    return generator("order", seed, epoch).permutation(count)
