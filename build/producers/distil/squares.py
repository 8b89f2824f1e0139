"""Squares cut out of small pairs, mirrored and recoloured: drawn by name, so that no state goes with them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fornet_hf.recombination.draw.rng import Uniforms, generator
from producers.distil.store import Layers, PairStore
from producers.training.visits import Visit

Colours = npt.NDArray[np.float32]  # n x 3 x 4: a matrix, and what is added

_GREY = np.full((3, 3), 1 / 3)
_TURN = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)  # a quarter turn of hues around grey


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
        return squares, np.stack([recolouring(self.colour, self.seed, *visit) for visit in visits])

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


def recolouring(chance: float, *names: object) -> npt.NDArray[np.float32]:
    """Return a change of colours from -1 to 1: a matrix, 3 x 3, and behind it what is added to each.

    A colour is grey, the mean of its three parts, and what differs from that. Grey gets brighter (normal, 0.2),
    is scaled together with the rest (2 to a normal of 0.5) and may change its sign; the rest is turned around grey by
    any angle and scaled (2 to a normal of 1). Each happens with the given probability; the sign changes in every
    other case. Distributions are those of Karras et al., "Training Generative Adversarial Networks with Limited Data"
    (NeurIPS 2020), appendix B.
    """
    draws = generator("colours", *names)
    happens, normal = draws.random(5) < chance, draws.standard_normal(3)
    sign, turn = draws.random(2)
    brighter = 0.2 * normal[0] * happens[0]
    contrast = 2 ** (0.5 * normal[1] * happens[1])
    grey = -contrast if happens[2] and sign < 0.5 else contrast
    angle = (2 * turn - 1) * math.pi * happens[3]
    rest = contrast * 2 ** (normal[2] * happens[4])
    turned = math.cos(angle) * (np.eye(3) - _GREY) + math.sin(angle) * _TURN
    matrix = grey * _GREY + rest * turned
    return np.column_stack([matrix, np.full(3, grey * brighter)]).astype(np.float32)
