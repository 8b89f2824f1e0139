"""Placement of models: on which device they run, and how precisely."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from fornet_hf.errors import ConfigurationError, explain
from producers.devices.seats import VISIBLE

if TYPE_CHECKING:
    import torch

PRECISIONS = ("float32", "bfloat16", "float16")
"""Types of torch in which weights are multiplied; in float32 they are as they are."""

SPEEDUPS: Mapping[str, str] = MappingProxyType(
    {
        "channels-last": "the diffusion models' convolutions find the channels of a pixel side by side",
        "compile": "networks are compiled, which takes minutes at the start",
        "decoding": "segmenters answer for boxes of several images at once, not image by image",
        "folded": "LaMa's norms are folded into its convolutions",
        "pinned": "images reach a GPU through pinned memory, for which it does not wait",
        "relative-positions": "SAM attends by fused kernels, to which its relative positions are a mask",
        "sampling": "on a GPU one kernel samples what a detector attends to",
        "shared-halves": "what is alike for both halves of Attentive Eraser's batch is computed once",
        "short-texts": "a detector projects the few tokens of a prompt in place of the many of an image",
        "texts": "a detector reads each prompt once and remembers it",
        "unfused": "LaMa's program is not fitted anew to each size of images",
    }
)
"""Ways to be faster with the same results, by name; each can be left out."""

ON = frozenset(SPEEDUPS) - {"compile"}
"""Those that are used unless somebody says otherwise."""


@dataclass(frozen=True)
class Placement:
    """A device, the precision of matrix products on it, and the ways to be faster that are used.

    Attributes:
        device: as torch names it: `cpu`, `cuda`, `cuda:1`.
        precision: a name in `PRECISIONS`. Lower ones are used through autocast, so that sums, norms and
            softmaxes stay in float32.
        speedups: names in `SPEEDUPS`.
    """

    device: str = "cpu"
    precision: str = "float32"
    speedups: frozenset[str] = ON

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ConfigurationError(
                explain("unknown precision", found=repr(self.precision), allowed=sorted(PRECISIONS))
            )
        if unknown := sorted(self.speedups - {*SPEEDUPS}):
            raise ConfigurationError(explain("unknown speed-up", found=unknown, allowed=sorted(SPEEDUPS)))
        if self.device != "cpu":
            import torch

            try:
                kind = torch.device(self.device).type
            except RuntimeError as error:
                raise ConfigurationError(
                    explain("unknown device", found=repr(self.device), allowed="cpu, cuda, cuda:1 ..")
                ) from error
            if kind == "cuda" and not torch.cuda.is_available():
                index = "https://pytorch.org/get-started/locally"
                then = f"Use the CPU (--gpus 0, or --device cpu), or install a build of torch for CUDA: {index}"
                visible = os.environ.get(VISIBLE)
                found = repr(self.device) + ("" if visible is None else f" with {VISIBLE}={visible}")
                raise ConfigurationError(explain("torch sees no GPU", found=found, then=then))

    @property
    def dtype(self) -> torch.dtype:
        """The type of the precision."""
        import torch

        result: torch.dtype = getattr(torch, self.precision)
        return result

    @contextlib.contextmanager
    def inference(self) -> Iterator[None]:
        """Compute without gradients, and products in this precision."""
        import torch

        kind, lower = torch.device(self.device).type, self.precision != "float32"
        with torch.inference_mode(), torch.autocast(kind, dtype=self.dtype if lower else None, enabled=lower):
            yield

    def moved(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return a tensor of the CPU on the device; a GPU does not wait for it, and goes on with what it does."""
        return (tensor.pin_memory() if self._pins else tensor).to(self.device, non_blocking=True)

    def stacked(self, arrays: Sequence[np.ndarray]) -> torch.Tensor:
        """Return arrays of the same shape and type as one tensor on the device, n x their shape."""
        import torch

        none = torch.from_numpy(np.empty(0, arrays[0].dtype))
        host = none.new_empty((len(arrays), *arrays[0].shape), pin_memory=self._pins)
        np.stack(arrays, out=host.numpy())
        return host.to(self.device, non_blocking=True)

    @property
    def _pins(self) -> bool:
        return self.device.startswith("cuda") and "pinned" in self.speedups
