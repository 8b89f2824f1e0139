"""Randomness that does not depend on who asks, nor on what was asked before.

Every example has its own counter-based generator, keyed by a digest of a few names. No global generator is used.
"""

from __future__ import annotations

import hashlib
import os
import sys

import numpy as np


def generator(*names: object) -> np.random.Generator:
    """The generator that belongs to these names, e.g. (seed, epoch, key): always the same for the same names."""
    code = hashlib.blake2b(repr(names).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(code, "little")))


class ProcessSeed:
    """A seed for runs without one: differs between processes, workers and accesses; is never pickled.

    Where torch is loaded it follows torch's seed of this process, which DataLoader sets anew for each worker in
    each epoch; so `torch.manual_seed` makes a run repeatable. Else it is the system's entropy.
    """

    def __init__(self) -> None:
        self._origin: tuple[int, int] | None = None
        self._entropy = 0
        self._count = 0

    def __reduce__(self) -> tuple[type[ProcessSeed], tuple[()]]:
        return ProcessSeed, ()

    def next(self) -> tuple[int, int]:
        """The process's seed, and the number of earlier calls in this process."""
        origin = os.getpid(), _torch_seed()
        if origin != self._origin:  # also after a fork, so that workers do not repeat their parent
            self._origin, self._count = origin, 0
            self._entropy = origin[1] if origin[1] >= 0 else int.from_bytes(os.urandom(8), "little")
        self._count += 1
        return self._entropy, self._count - 1


def _torch_seed() -> int:
    """Torch's seed of this process, -1 where torch is not loaded; loading it would take seconds."""
    torch = sys.modules.get("torch")
    return int(torch.initial_seed()) if torch is not None and hasattr(torch, "initial_seed") else -1
