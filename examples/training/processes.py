"""The processes that torchrun started, or this one alone."""

from __future__ import annotations

import datetime as dt
import os
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed.nn  # before the group is there: see process_group
from torch import distributed

from fornet_hf.ranks import join_group, let_go


@dataclass(frozen=True)
class Place:
    """The place of this process among all.

    Attributes:
        rank: its number among all, from 0.
        world: how many there are.
        local_rank: its number on this machine: the GPU that it uses.
    """

    rank: int
    world: int
    local_rank: int

    @property
    def device(self) -> torch.device:
        """This process's GPU, or the CPU where there is none."""
        return torch.device("cuda", self.local_rank) if torch.cuda.is_available() else torch.device("cpu")

    @property
    def is_first(self) -> bool:
        """True for the process that writes files and speaks."""
        return self.rank == 0


def place() -> Place:
    """Return this process's place, from torchrun's variables."""
    return Place(*(int(os.environ.get(name, default)) for name, default in _VARIABLES))


_VARIABLES = (("RANK", "0"), ("WORLD_SIZE", "1"), ("LOCAL_RANK", "0"))


@contextmanager
def process_group(here: Place) -> Iterator[None]:
    """Let processes talk to each other inside of this block. One process needs nobody to talk to.

    Afterwards the group's threads are gone, once nobody holds the group: gloo's may let go of a tensor a moment after
    a sum is there, and abort the process when Python is gone by then. A model in DistributedDataParallel holds it,
    too: freed later, it would wait for such a thread, which waits for Python's lock. `torch.distributed.nn` keeps the
    group that it finds as the default of its functions, for ever; DistributedDataParallel imports it if nobody did
    before.
    """
    if here.device.type == "cuda":
        torch.cuda.set_device(here.device)
    if here.world == 1:
        yield
        return
    backend = "nccl" if here.device.type == "cuda" else "gloo"
    join_group(backend, dt.timedelta(hours=1))
    try:
        yield
    except BaseException as error:
        traceback.clear_frames(error.__traceback__)  # which hold the model
        raise
    finally:
        distributed.destroy_process_group()


def alike(tensors: Iterable[torch.Tensor]) -> None:
    """Give all processes the values that the first one has, such as its statistics of BatchNorm."""
    if distributed.is_initialized():
        for tensor in tensors:
            with let_go(tensor):
                distributed.broadcast(tensor, 0)


def summed(values: torch.Tensor) -> torch.Tensor:
    """Return the sum over all processes."""
    if distributed.is_initialized():
        with let_go(values):
            distributed.all_reduce(values)
    return values
