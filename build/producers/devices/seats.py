"""Seats: the places of processes on devices. While one on a GPU computes on its CPU, another keeps the GPU busy."""

from __future__ import annotations

import os
from dataclasses import dataclass

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.processes import max_workers

VISIBLE = "CUDA_VISIBLE_DEVICES"
SMALL = 2 * 2**30
"""Bytes that a process's context may take of a GPU, or a screen: torch cannot tell whose they are."""


@dataclass(frozen=True)
class Seat:
    """A place of one process on a device.

    Attributes:
        name: of the device, as logs and reports have it: `cpu`, or `cuda:` with the GPU's number on its machine.
        processes: that share the device, each with as much of its memory.
    """

    name: str = "cpu"
    processes: int = 1

    @property
    def device(self) -> str:
        """The device as torch names it in a process that has taken the seat."""
        return "cuda" if self.name.startswith("cuda") else self.name

    def take(self) -> None:
        """Let this process and those that it starts see no GPU but that of the seat; before torch is imported.

        On a CPU that several share, torch begins as many threads as are its share, unless OMP_NUM_THREADS is set.
        """
        if self.name.startswith("cuda:"):
            os.environ[VISIBLE] = self.name.removeprefix("cuda:")
        elif self.processes > 1:
            os.environ.setdefault("OMP_NUM_THREADS", str(max(1, max_workers() // self.processes)))

    def limit_memory(self) -> None:
        """Keep torch to this process's share of the GPU's memory, if others have a share, too.

        Raises:
            ConfigurationError: beside what the processes' contexts take nothing is left.
        """
        if self.processes == 1 or self.device != "cuda":
            return
        import torch

        _, total = torch.cuda.mem_get_info()
        share = total // self.processes - SMALL
        if share <= 0:
            found = f"{self.processes} on {total / 2**30:.1f} GiB"
            what, then = "the GPU has too little memory for so many processes", "Give fewer --processes."
            raise ConfigurationError(explain(what, found=found, allowed=f"up to {(total - 1) // SMALL}", then=then))
        torch.cuda.set_per_process_memory_fraction(share / total)

    def is_shared(self) -> bool:
        """Return whether others use the GPU's memory: more is taken than what this run's processes may take.

        Of the CPU, never.
        """
        if self.device != "cuda":
            return False
        import torch

        torch.cuda.empty_cache()  # what this process holds for later must not look like another's
        free, total = torch.cuda.mem_get_info()
        shares = total * (self.processes - 1) / self.processes
        return total - free - torch.cuda.memory_reserved() > SMALL + shares


def seats(gpus: int, processes: int) -> list[Seat]:
    """Return the seats of so many processes on each of so many GPUs, or on the CPU if there are 0 GPUs.

    GPUs are those that CUDA_VISIBLE_DEVICES lists, if it is set.

    Raises:
        ConfigurationError: it lists fewer.
    """
    visible = os.environ.get(VISIBLE)
    known = [one.strip() for one in visible.split(",") if one.strip()] if visible is not None else range(gpus)
    if gpus > len(known):
        then = "Give fewer --gpus, or 0 for the CPU; or list more GPUs, or unset the variable to see all."
        raise ConfigurationError(
            explain(f"{VISIBLE} lists fewer GPUs than were asked for", found=repr(visible), allowed=gpus, then=then)
        )
    names = [f"cuda:{one}" for one in known[:gpus]] or ["cpu"]
    return [Seat(name, processes) for _ in range(processes) for name in names]
