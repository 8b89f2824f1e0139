"""Randomness of each step: keyed by seed, epoch, step and rank, whichever process draws it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.recombination.draw.clock import Clock
from fornet_hf.recombination.draw.rng import ProcessSeed, generator, loader_worker

if TYPE_CHECKING:
    import torch


class Turn(NamedTuple):
    """One step: its randomness, and its number in the epoch, from 0."""

    rng: np.random.Generator
    step: int


class Steps:
    """The steps of a training: counts the batches of an epoch, and gives each its own generator.

    A batch that a worker of a DataLoader mixes has the number it has in the epoch, so that its draw is the same with
    any number of workers. The epoch reaches workers that already run.

    Args:
        name: of what is drawn; things of different names draw different numbers.
        seed: see `MixConfig`.
        source: a torch.Generator to draw from, in place of seed, epoch and step.
        epochs: number of epochs of the training.
    """

    def __init__(
        self, name: str, seed: int | None = None, source: torch.Generator | None = None, epochs: float | None = None
    ) -> None:
        if seed is not None and source is not None:
            raise ConfigurationError(explain("seed and generator were both given", allowed="one of them"))
        self.clock = Clock(epochs=epochs)
        self._name, self._seed, self._source = name, seed, source
        self._process_seed = ProcessSeed()
        self._rank: int | None = None
        self._first = self._count = 0  # step that the epoch began with, and steps of this process since
        self._counted = os.getpid(), self.clock.epoch  # whose steps these are

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_rank": _rank() if self._rank is None else self._rank}  # spawned workers need it

    @property
    def is_seeded(self) -> bool:
        """True with a seed or a generator of its own."""
        return self._seed is not None or self._source is not None

    @property
    def step(self) -> int:
        """Number in the epoch of the next batch that this process mixes, from 0; not for workers of a DataLoader."""
        return self._first + self._count

    def set_epoch(self, epoch: float, epochs: float | None = None, step: int = 0) -> None:
        """Begin an epoch, from 0, at a step of it, from 0."""
        if epochs is not None:
            self.clock.epochs = epochs
        self.clock.epoch = epoch
        self._first, self._count, self._counted = _checked(step), 0, (os.getpid(), self.clock.epoch)

    def next(self, step: int | None = None) -> Turn:
        """Return the next step, or the one of this number, which then is not counted.

        Raises:
            ConfigurationError: a step that is no number from 0, or a torch.Generator in a worker of a DataLoader.
        """
        number = self._counted_step() if step is None else _checked(step)
        if self._source is not None:
            return Turn(generator("mix", self._name, self._drawn()), number)
        if self._seed is None:
            return Turn(generator("mix", self._name, *self._process_seed.next()), number)
        rank = _rank()
        rank = (self._rank or 0) if rank is None else rank
        return Turn(generator("mix", self._name, self._seed, self.clock.epoch, number, rank), number)

    def is_over(self, off_for_last: float) -> bool:
        """Return whether the last epochs have begun, `off_for_last` of them.

        Raises:
            ConfigurationError: the number of epochs is not known.
        """
        if not off_for_last:
            return False
        if self.clock.epochs is None:
            then = "Call set_epoch(epoch, epochs=...) of the mixer, or give it epochs=..."
            raise ConfigurationError(explain("off_for_last needs the number of epochs, which is not set", then=then))
        return self.clock.epoch >= self.clock.epochs - off_for_last

    def _counted_step(self) -> int:
        here = os.getpid(), self.clock.epoch
        if here != self._counted:  # a worker that has begun, or an epoch that began elsewhere
            if here[1] != self._counted[1]:
                self._first = 0
            self._count, self._counted = 0, here
        worker = loader_worker()
        number, workers = (0, 1) if worker is None else (worker.id, worker.num_workers)
        if worker is not None and (self._count, number) == (0, 0) and self._seed is not None and not _rank():
            self.clock.advance(1, 1, then="Before each epoch call set_epoch(epoch) of the mixer.")
        self._count += 1
        return self._first + (self._count - 1) * workers + number  # DataLoader deals batches to workers in turn

    def _drawn(self) -> int:
        """Return 63 bits of the user's generator."""
        if loader_worker() is not None:
            what = "a torch.Generator draws the same in all workers of a DataLoader"
            raise ConfigurationError(explain(what, then="Give seed= in place of generator=."))
        torch, source = sys.modules["torch"], self._source
        return int(torch.randint(2**63 - 1, (), generator=source, device=source.device))  # type: ignore[union-attr]


def _rank() -> int | None:
    """Return the rank of this process among those that train together; None where nothing tells it."""
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return int(distributed.get_rank())
    rank = os.environ.get("RANK", "")
    return int(rank) if rank.isdecimal() else None


def _checked(step: int) -> int:
    if isinstance(step, bool) or not isinstance(step, (int, np.integer)) or step < 0:
        raise ConfigurationError(explain("step is not allowed", found=repr(step), allowed="an integer from 0"))
    return int(step)
