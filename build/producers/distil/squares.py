"""Squares cut out of small pairs, mirrored and recoloured: drawn by name, so that no state goes with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fornet_hf.recombination.draw.rng import Uniforms, generator
from producers.distil.store import Layers, PairStore
from producers.training.colours import Colours, recolourings
from producers.training.visits import Visit


@dataclass(frozen=True, kw_only=True)
class Squares:
    """Cuts squares out of the pairs of a store.

    Attributes:
        store: of the pairs.
        numbers: of those that are visited.
        side: of the squares.
        flip: whether every other one is mirrored.
        colour: probability of each change of colour.
        seed: of all that is drawn.
    """

    store: PairStore
    numbers: npt.NDArray[np.int64]
    side: int
    flip: bool
    colour: float
    seed: int

    @cached_property
    def _uniforms(self) -> Uniforms:
        return Uniforms()

    def batch(self, visits: Sequence[Visit]) -> tuple[Layers, Colours | None]:
        """Return the squares of some visits, n x side x side x 4, and their changes of colour, if there are any."""
        squares = np.stack([self._square(visit) for visit in visits])
        if not self.colour:
            return squares, None
        return squares, np.concatenate([self._colours(visit) for visit in visits])

    def _colours(self, visit: Visit) -> Colours:
        return recolourings(1, self.colour, generator("colours", self.seed, *visit))

    def _square(self, visit: Visit) -> Layers:
        _, index = visit
        layers = self.store.layers(int(self.numbers[index]))
        down, right, mirror = self._uniforms.of(("square", self.seed, *visit), 3)
        square = cut(layers, self.side, (down, right))
        return square[:, ::-1] if self.flip and mirror < 0.5 else square


def cut(layers: Layers, side: int, at: tuple[float, float] = (0.5, 0.5)) -> Layers:
    """Return a square of a pair.

    Args:
        layers: whose shorter side is `side`.
        side: of the square, pixels.
        at: share of what is left over that stays above and at the left, 0 to below 1; by default the centre is cut.
    """
    top, left = (int((whole - side + 1) * share) for whole, share in zip(layers.shape[:2], at, strict=True))
    return layers[top : top + side, left : left + side]
