"""Pairs of normal vectors whose information is known: I = -(d/2) ln(1 - rho^2)."""

import math

import numpy as np

DIMENSIONS = 20
INFORMATION = {2: 0.4258, 4: 0.5742, 6: 0.6717, 8: 0.7421, 10: 0.7951}
"""Correlation of each pair of coordinates by the information in nats."""


def pairs(correlation, rows, draws):
    """Return x and y, float32, rows x 20."""
    x, noise = draws.standard_normal((2, rows, DIMENSIONS), dtype=np.float32)
    return x, correlation * x + math.sqrt(1 - correlation**2) * noise
