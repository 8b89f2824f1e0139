"""Noise by name, drawn on the CPU: the same on every device, in every batch, and in every order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import torch

from fornet_hf.format.masks import Mask
from fornet_hf.recombination.draw.rng import generator
from producers.scene import Raster


def normal(shape: Sequence[int], *names: object) -> torch.Tensor:
    """Return standard normal numbers (float32, on the CPU) that belong to these names: ("noise", seed, key, step)."""
    return torch.from_numpy(generator(*names).standard_normal(tuple(shape), np.float32))


def generator_of(raster: Raster, hole: Mask, seed: int) -> torch.Generator:
    """Return a generator on the CPU that belongs to an image, a hole in it, and a seed."""
    content = np.packbits(hole).tobytes() + raster.tobytes() + str(seed).encode()
    return torch.Generator().manual_seed(int.from_bytes(hashlib.sha256(content).digest()[:7], "big"))
