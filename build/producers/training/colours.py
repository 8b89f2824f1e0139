"""Changes of colour, as matrices.

A colour from -1 to 1 is grey, the mean of its three parts, and what differs from that. Grey gets brighter (normal,
0.2), is scaled together with the rest (2 to a normal of 0.5) and may change its sign; the rest is turned around grey
by any angle and scaled (2 to a normal of 1). Each happens with the same probability; the sign changes in every other
case. Distributions are those of Karras et al., "Training Generative Adversarial Networks with Limited Data"
(NeurIPS 2020), appendix B.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Colours = npt.NDArray[np.float32]  # n x 3 x 4: a matrix, and what is added

_GREY = np.full((3, 3), 1 / 3)
_TURN = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)  # a quarter turn of hues around grey


def recolourings(count: int, chance: float, draws: np.random.Generator) -> Colours:
    """Return changes of colour: a matrix, 3 x 3, and behind it what is added to each of the three parts.

    Args:
        count: of the images.
        chance: probability of each change, 0 to 1.
        draws: generator; it draws the same numbers whatever the chance.
    """
    happens, normal = draws.random((count, 5)) < chance, draws.standard_normal((count, 3))
    sign, turn = draws.random((count, 2)).T
    contrast = 2 ** (0.5 * normal[:, 1] * happens[:, 1])
    grey = np.where(happens[:, 2] & (sign < 0.5), -contrast, contrast)
    brighter = 0.2 * normal[:, 0] * happens[:, 0] * grey
    angle = ((2 * turn - 1) * math.pi * happens[:, 3])[:, None, None]
    rest = contrast * 2 ** (normal[:, 2] * happens[:, 4])
    turned = np.cos(angle) * (np.eye(3) - _GREY) + np.sin(angle) * _TURN
    matrices = grey[:, None, None] * _GREY + rest[:, None, None] * turned
    added = np.broadcast_to(brighter[:, None, None], (count, 3, 1))
    return np.concatenate([matrices, added], 2).astype(np.float32)
