"""The form of composed images: how levels become numbers, of which type, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from fornet_hf.errors import ConfigurationError, explain

DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.uint8)
FORMATS = (torch.contiguous_format, torch.channels_last)
Triple = tuple[float, float, float]


class Form(NamedTuple):
    """The form of images.

    Attributes:
        scale: of each channel; a number is level * scale + shift, level 0 to 255.
        shift: likewise.
        dtype: one of `DTYPES`.
        memory_format: one of `FORMATS`.
    """

    scale: Triple = (1.0, 1.0, 1.0)
    shift: Triple = (0.0, 0.0, 0.0)
    dtype: torch.dtype = torch.uint8
    memory_format: torch.memory_format = torch.contiguous_format

    @classmethod
    def of(
        cls, mean: Sequence[float], std: Sequence[float], dtype: torch.dtype, memory_format: torch.memory_format
    ) -> Form:
        """Return the form of normalised images; see `Compositor`.

        Raises:
            ConfigurationError: a value that is not allowed.
        """
        _require(dtype in DTYPES, "dtype", dtype, ", ".join(map(str, DTYPES)))
        _require(memory_format in FORMATS, "memory_format", memory_format, ", ".join(map(str, FORMATS)))
        mean, std = _triple("mean", mean), _triple("std", std)
        _require(all(0 <= value <= 1 for value in mean), "mean", mean, "3 numbers from 0 to 1: divide levels by 255")
        _require(all(0 < value <= 1 for value in std), "std", std, "3 numbers above 0 to 1: divide levels by 255")
        if dtype == torch.uint8:
            plain = mean == (0.0, 0.0, 0.0) and std == (1.0, 1.0, 1.0)
            _require(plain, "dtype", dtype, "a floating point type with mean and std")
            return cls(memory_format=memory_format)
        scale = tuple(1 / (255 * value) for value in std)
        shift = tuple(-m / s for m, s in zip(mean, std, strict=True))
        return cls(scale, shift, dtype, memory_format)  # type: ignore[arg-type]  # of three each


def _triple(name: str, values: Sequence[float]) -> Triple:
    try:
        first, second, third = (float(value) for value in values)
    except (TypeError, ValueError):
        found, allowed = repr(values), "3 numbers, one a channel"
        raise ConfigurationError(explain(f"{name} is not allowed", found=found, allowed=allowed)) from None
    return first, second, third


def _require(fits: bool, name: str, found: object, allowed: str) -> None:  # noqa: FBT001
    if not fits:
        raise ConfigurationError(explain(f"{name} is not allowed", found=found, allowed=allowed))
