"""Timesteps: the grid of DDIM on the steps of training."""

from __future__ import annotations

from fornet_hf.errors import ConfigurationError, explain

TRAINED = 1000
"""The steps that a diffusion model of images is trained with."""


def grid(count: int = 50, trained: int = TRAINED) -> tuple[int, ...]:
    """Return that many evenly spaced timesteps, ascending: 1, 21, .. 981 for 50 of 1000.

    Raises:
        ConfigurationError: so many do not fit.
    """
    if not 1 <= count <= trained // 2:
        raise ConfigurationError(explain("steps of DDIM", found=count, allowed=f"1 to {trained // 2}"))
    return tuple(range(1, 1 + count * (trained // count), trained // count))


def lowest(count: int = 40, of: int = 50, trained: int = TRAINED) -> tuple[int, ...]:
    """Return the timesteps with the least noise, ascending: 1, 21, .. 781 for 40 of 50.

    Raises:
        ConfigurationError: the grid has fewer.
    """
    found = grid(of, trained)
    if not 1 <= count <= of:
        raise ConfigurationError(explain("steps with the least noise", found=count, allowed=f"1 to {of}"))
    return found[:count]
