"""Processes that torchrun started: each does its share, and they wait for each other."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fornet_hf.errors import WorkerDiedError, explain

if TYPE_CHECKING:
    import torch

_PATIENCE = 1.0  # seconds
_LONGEST = timedelta(days=30)  # a process may be done long before another; of a dead one, torch learns at once


@dataclass(frozen=True)
class Ranks:
    """This process among those that do the same work.

    Attributes:
        rank: its number, from 0.
        count: how many there are.
        group: of `torch.distributed`; None: there is one process only.
    """

    rank: int = 0
    count: int = 1
    group: Any = None

    @property
    def first(self) -> bool:
        """True in the process that writes what there is one of."""
        return self.rank == 0

    def share(self, work: Sequence[int]) -> Sequence[int]:
        """Return this process's share of the numbers that the first process sees; all of them have to ask.

        Raises:
            WorkerDiedError: another process has ended.
        """
        if self.group is None:
            return work
        (count,) = self._told([len(work)])
        return self._told(list(work) if self.first else [0] * count)[self.rank :: self.count]

    def wait(self) -> None:
        """Wait until all processes are here.

        Raises:
            WorkerDiedError: another process has ended.
        """
        if self.group is not None:
            from torch import distributed

            with _others():
                distributed.barrier(self.group)

    def _told(self, numbers: list[int]) -> list[int]:
        """Return the numbers that the first process has, of which each process has as many."""
        import torch
        from torch import distributed

        told = torch.tensor(numbers, dtype=torch.int64)
        with _others(), let_go(told):
            distributed.broadcast(told, distributed.get_global_rank(self.group, 0), self.group)
        return told.tolist()


@contextlib.contextmanager
def joined_ranks() -> Iterator[Ranks]:
    """Join the processes that torchrun started, if it started this one; leave them at the end."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2 or "RANK" not in os.environ:
        yield Ranks()
        return
    from torch import distributed

    ours = not distributed.is_initialized()
    if ours:
        join_group("gloo", _LONGEST)
    group = distributed.new_group(backend="gloo", timeout=_LONGEST)  # only words are exchanged, no tensors of a GPU
    try:
        yield Ranks(distributed.get_rank(), distributed.get_world_size(), group)
    finally:
        if ours:
            distributed.destroy_process_group()


def join_group(backend: str, timeout: timedelta) -> None:
    """Join the processes that torchrun started as `torch.distributed`'s group, more than once if need be.

    torch gives each such group the same names in torchrun's store, so in a second one a process may find the address
    that another one had in the first, and is about to leave. Here each group's names are its own.
    """
    from torch import distributed
    from torch.distributed.distributed_c10d import PrefixStore
    from torch.distributed.rendezvous import rendezvous

    store, rank, count = next(rendezvous("env://", timeout=timeout))
    joined = store.add(f"fornet/groups/{rank}", 1)
    own = PrefixStore(f"fornet/group/{joined}", store)
    distributed.init_process_group(backend, store=own, rank=rank, world_size=count, timeout=timeout)


@contextlib.contextmanager
def let_go(values: torch.Tensor) -> Iterator[None]:
    """Wait until the threads of a group of processes have let go of a tensor that they were given in this block.

    They do so a moment after the result is there, and need Python for it. A loading process that is forked in this
    moment waits for ever for a lock that such a thread had: in Python 3.11's os.fork, once in some thousand forks.
    """
    before = sys.getrefcount(values)
    yield
    until = time.monotonic() + _PATIENCE
    while sys.getrefcount(values) > before and time.monotonic() < until:
        time.sleep(0.0001)


@contextlib.contextmanager
def _others() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        then = "Its own message tells why. Run the same command again: it goes on where it was."
        raise WorkerDiedError(explain("another process of torchrun has ended", then=then)) from error
