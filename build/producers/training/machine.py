"""The processes and devices that train, by `accelerate`: `accelerate launch` or `torchrun` starts several."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.packages import needing
from producers.devices.placement import Placement

if TYPE_CHECKING:
    from accelerate import Accelerator
    from torch import nn

Item = TypeVar("Item")

PRECISIONS = {"float32": "no", "bfloat16": "bf16"}
"""Names of `Placement` that training takes, with those of `accelerate`. Weights stay in float32."""


def accelerator(device: str, precision: str) -> Accelerator:
    """Return what distributes the training over this command's processes.

    Args:
        device: `cuda`, of which each process takes its own, or `cpu`.
        precision: a name in `PRECISIONS`.

    Raises:
        ConfigurationError: torch sees no GPU, or there is no such device or precision.
        MissingDependencyError: `torch` or `accelerate` is not installed.
    """
    for what, found, allowed in (("device", device, ("cuda", "cpu")), ("precision", precision, tuple(PRECISIONS))):
        if found not in allowed:
            raise ConfigurationError(explain(f"this {what} cannot train", found=repr(found), allowed=allowed))
    with needing("training", "torch accelerate"):
        Placement(device, precision)  # before anything is loaded
        from accelerate import Accelerator

        return Accelerator(cpu=device == "cpu", mixed_precision=PRECISIONS[precision])


def share(batch: Sequence[Item], rank: int, processes: int) -> Sequence[Item]:
    """Return a process's part of a batch, which all processes have in equal parts.

    Raises:
        ConfigurationError: they cannot.
    """
    if len(batch) % processes:
        allowed = f"a multiple of the {processes} processes"
        raise ConfigurationError(explain("--batch-size", found=len(batch), allowed=allowed))
    each = len(batch) // processes
    return batch[rank * each : (rank + 1) * each]


def mean_gradients(machine: Accelerator, module: nn.Module) -> None:
    """Give all processes the mean of the gradients that each of them has left in its copy of a module.

    It is for modules that are derived several times, in parts or twice over, before a step: wrappers that add up
    gradients meanwhile do not see that.
    """
    if machine.num_processes == 1:
        return
    import torch

    gradients = [one.grad for one in module.parameters() if one.grad is not None]
    mean = machine.reduce(torch.cat([one.flatten() for one in gradients]), "mean")
    for one, part in zip(gradients, mean.split([one.numel() for one in gradients]), strict=True):
        one.copy_(part.view_as(one))


@contextlib.contextmanager
def first_alone() -> Iterator[None]:
    """Let only the first of several processes write to standard output."""
    with Path(os.devnull).open("w") as nowhere:
        rest = os.environ.get("RANK", "0") != "0"
        with contextlib.redirect_stdout(nowhere) if rest else contextlib.nullcontext():
            yield
