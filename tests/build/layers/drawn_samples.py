"""Drawn samples: what a generator of layers would give if it had learnt discs on striped grounds."""

from __future__ import annotations

import numpy as np

from producers.layers.written import Sample


def drawn_sample(number: int, side: int = 32) -> Sample:
    """A red disc, soft at its edge, on stripes; of every tenth the mask is empty, and of the next one full."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[:side, :side]
    stripes = (x * rng.uniform(2, 6) + y * rng.uniform(2, 6))[..., None] % 60 + rng.uniform(0, 100, 3)
    foreground = np.broadcast_to((rng.uniform(180, 255), rng.uniform(0, 60), rng.uniform(0, 60)), (side, side, 3))
    centre, radius = rng.uniform(0.35, 0.65, 2) * side, rng.uniform(0.15, 0.3) * side
    soft = (radius - np.hypot(x - centre[0], y - centre[1]) + 0.5).clip(0, 1)
    if number % 10 in (8, 9):
        soft = np.full_like(soft, number % 10 - 8)
    composed = stripes * (1 - soft[..., None]) + foreground * soft[..., None]
    image, background, front = (one.round().astype(np.uint8) for one in (composed, stripes, foreground))
    return Sample(image, (soft * 255).round().astype(np.uint8), front, background)
