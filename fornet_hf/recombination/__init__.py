"""Recombination: an object at a new place, size and background, whenever it is looked at.

config       what is varied, and how much
sampling     draws one Composition: numbers, no pixels
compositing  pixels from a Composition: no randomness
transform    the callable for `ds.set_transform`
"""

from __future__ import annotations

from fornet_hf.recombination.compositing import compose
from fornet_hf.recombination.composition import Composition
from fornet_hf.recombination.config import CropConfig, RecombinationConfig
from fornet_hf.recombination.pool import BackgroundPool
from fornet_hf.recombination.sampling import draw
from fornet_hf.recombination.transform import Recombine

__all__ = ["BackgroundPool", "Composition", "CropConfig", "RecombinationConfig", "Recombine", "compose", "draw"]
