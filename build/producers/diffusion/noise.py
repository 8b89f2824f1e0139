"""Noise by name, drawn on the CPU: the same on every device, in every batch, and in every order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from fornet_hf.recombination.draw.rng import generator


def normal(shape: Sequence[int], *names: object) -> torch.Tensor:
    """Return standard normal numbers (float32, on the CPU) that belong to these names: ("noise", seed, key, step)."""
    return torch.from_numpy(generator(*names).standard_normal(tuple(shape), np.float32))
