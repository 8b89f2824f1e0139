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


@contextlib.contextmanager
def first_alone() -> Iterator[None]:
    """Let only the first of several processes write to standard output."""
    with Path(os.devnull).open("w") as nowhere:
        rest = os.environ.get("RANK", "0") != "0"
        with contextlib.redirect_stdout(nowhere) if rest else contextlib.nullcontext():
            yield
