"""Placement of models: on which device they run, and how precisely."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch

from fornet_hf.errors import ConfigurationError, explain

PRECISIONS = MappingProxyType({"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16})
"""What the weights are multiplied in; None: as they are."""


@dataclass(frozen=True)
class Placement:
    """A device and the precision of matrix products on it.

    Attributes:
        device: as torch names it: `cpu`, `cuda`, `cuda:1`.
        precision: a name in `PRECISIONS`. Lower ones are used through autocast, so that sums, norms and
            softmaxes stay in float32.
    """

    device: str = "cpu"
    precision: str = "float32"

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ConfigurationError(
                explain("unknown precision", found=repr(self.precision), allowed=sorted(PRECISIONS))
            )
        if self.device.startswith("cuda") and not torch.cuda.is_available():
            then = "Use the CPU (--gpus 0), or install a build of torch for CUDA: https://pytorch.org/get-started/locally"
            raise ConfigurationError(explain("torch sees no GPU", found=repr(self.device), then=then))

    @contextlib.contextmanager
    def inference(self) -> Iterator[None]:
        """Compute without gradients, and products in this precision."""
        dtype = PRECISIONS[self.precision]
        kind = torch.device(self.device).type
        with torch.inference_mode(), torch.autocast(kind, dtype=dtype, enabled=dtype is not None):
            yield

    def pixels(self, raster: np.ndarray) -> torch.Tensor:
        """Return a raster (uint8, height x width x 3) as float32 tensor of 3 x height x width, 0 to 255."""
        tensor = torch.tensor(raster, device=self.device)  # a copy: rasters may be read-only
        return tensor.permute(2, 0, 1).float()
