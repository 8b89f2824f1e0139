"""Randomness that does not depend on who asks, nor on what was asked before.

Every example has its own counter-based generator, keyed by a digest of a few names. No global generator is used.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import sys
import threading
from typing import Any

import numpy as np

_IMPORTED_IN = os.getpid()  # in forked processes another


def generator(*names: object) -> np.random.Generator:
    """Return the generator that belongs to these names, e.g. (seed, epoch, key): the same for the same names."""
    return np.random.Generator(np.random.Philox(key=_code(names)))


class Uniforms(threading.local):
    """Uniform numbers by name: those of `generator(*names)`, which takes four times as long to be made.

    Each thread has a generator of its own, to which every name is given as a new key.
    """

    def __init__(self) -> None:
        self._bits = np.random.Philox(key=0)
        self._generator = np.random.Generator(self._bits)
        self._start: Any = self._bits.state

    def __reduce__(self) -> tuple[type[Uniforms], tuple[()]]:
        return Uniforms, ()

    def of(self, names: tuple[object, ...], count: int) -> list[float]:
        """Return that many numbers, 0 to below 1."""
        self._start["state"]["key"] = np.frombuffer(_digest(names), "<u8")
        self._bits.state = self._start
        numbers: list[float] = self._generator.random(count).tolist()
        return numbers


def example_names(seed: int, epoch: float, key: str) -> tuple[object, ...]:
    """Return the names of the generator of a seeded example: of the row `key` in an epoch, from 0."""
    return "example", seed, float(epoch), key


def _code(names: tuple[object, ...]) -> int:
    """Return 128 bits that tell names from others."""
    return int.from_bytes(_digest(names), "little")


def _digest(names: tuple[object, ...]) -> bytes:
    return hashlib.blake2b(repr(names).encode(), digest_size=16).digest()


class ProcessSeed:
    """A seed for runs without one: differs between processes, workers and accesses; is never pickled.

    Where torch is loaded it follows torch's seed of this process, which DataLoader sets anew for each worker in
    each epoch; so `torch.manual_seed` makes a run repeatable. What launchers and `multiprocessing` call the process
    is added, as ranks, and workers of forked processes, may have equal seeds. Without torch, and in processes forked
    by anything but DataLoader, which have their parent's seed, it is the system's entropy.
    """

    def __init__(self) -> None:
        self._origin: tuple[int, int] | None = None
        self._entropy = 0
        self._count = 0

    def __reduce__(self) -> tuple[type[ProcessSeed], tuple[()]]:
        return ProcessSeed, ()

    def next(self) -> tuple[int, int]:
        """Return the process's seed, and the number of earlier calls in this process."""
        origin = os.getpid(), _torch_seed()
        if origin != self._origin:  # also after a fork, so that workers do not repeat their parent
            self._origin, self._count = origin, 0
            self._entropy = _entropy(origin[1])
        self._count += 1
        return self._entropy, self._count - 1


def loader_worker() -> Any:
    """Return torch's record of a DataLoader's worker; None in any other process."""
    data = sys.modules.get("torch.utils.data")
    return None if data is None else data.get_worker_info()


def loader_workers() -> int:
    """Return the number of workers of the DataLoader that this process works for; 1 if it is no worker."""
    worker = loader_worker()
    return 1 if worker is None else int(worker.num_workers)


def _entropy(torch_seed: int) -> int:
    if torch_seed < 0 or (os.getpid() != _IMPORTED_IN and loader_worker() is None):
        return int.from_bytes(os.urandom(8), "little")
    # The name of the process that has the loader: those of workers count on with every loader that there was.
    owner = multiprocessing.current_process() if loader_worker() is None else multiprocessing.parent_process()
    return _code((torch_seed, os.environ.get("RANK", ""), owner and owner.name)) % 2**64


def _torch_seed() -> int:
    """Return torch's seed of this process, -1 where torch is not loaded; loading it would take seconds."""
    torch = sys.modules.get("torch")
    return int(torch.initial_seed()) if torch is not None and hasattr(torch, "initial_seed") else -1
