"""Deformable attention on a GPU by one Triton kernel, in place of transformers' loop over the maps.

That loop runs in float32 whatever the precision, and writes what it finds at each point before it adds up.
"""

from __future__ import annotations

import logging
from importlib.util import find_spec

import torch
from torch import nn

from fornet_hf.errors import explain

_REPLACED = "MultiScaleDeformableAttention"  # the class's name in transformers, which has one for each model
_log = logging.getLogger(__name__)


class KernelSampling(nn.Module):
    """A stand-in for the module in transformers that samples; on the CPU it calls that one.

    Attributes:
        original: the module that it stands for; it has no weights.
    """

    def __init__(self, original: nn.Module) -> None:
        super().__init__()
        self.original = original

    def forward(
        self,
        value: torch.Tensor,
        shapes: torch.Tensor,
        sides: list[tuple[int, int]],
        starts: torch.Tensor,
        locations: torch.Tensor,
        weights: torch.Tensor,
        step: int,
    ) -> torch.Tensor:
        """Return what `sampling_kernel.sampled` does, of the same arguments.

        Args:
            value: n x pixels x heads x channels; what is padding is 0 already.
            shapes: maps x 2.
            sides: the same as numbers.
            starts: for each map.
            locations: n x queries x heads x maps x points x 2.
            weights: n x queries x heads x maps x points.
            step: of another kernel; means nothing here.
        """
        if value.is_cuda:
            from producers.detect.sampling_kernel import sampled

            return sampled(value, shapes, starts, locations, weights)
        result: torch.Tensor = self.original(value, shapes, sides, starts, locations, weights, step)
        return result


def use_kernel(network: nn.Module) -> None:
    """Put the kernel's module in the place of each one that samples."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if type(child).__name__ == _REPLACED and not isinstance(parent, KernelSampling):
                setattr(parent, name, KernelSampling(child))


def kernel_runs(device: str) -> bool:
    """Return whether the kernel runs on a device; where a GPU does not take it, a warning says why."""
    if torch.device(device).type != "cuda" or find_spec("triton") is None:
        return False
    try:
        from producers.detect.sampling_kernel import sampled

        ones, where = torch.ones(2, 2, dtype=torch.int64, device=device), torch.zeros(1, 1, 1, 2, 1, 2, device=device)
        sampled(torch.ones(1, 2, 1, 16, device=device), ones, ones[0] - 1, where, where[..., 0])
    except Exception as error:  # noqa: BLE001  # no compiler of C, an unknown GPU, ...: transformers needs none of it
        what, found = f"Triton's kernels do not run on {device}", f"{type(error).__name__}: {error}"
        _log.warning(
            explain(what, found=found, then="So transformers samples, slower; --without sampling is silent.")
        )
        return False
    return True
