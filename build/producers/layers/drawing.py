"""All that a phase of a step draws, as a function of the seed, the step and the process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from fornet_hf.recombination.draw.rng import generator
from producers.devices.placement import Placement
from producers.layers.augmentation import Changes, drawn_changes
from producers.layers.composition import drawn_offsets
from producers.layers.networks.generator import LayerGenerator
from producers.layers.settings import LayerSettings


class Drawn(NamedTuple):
    """The numbers that layers of n images are painted from, and moved by.

    Attributes:
        latents: float32, n x latent.
        second: latents that styles are mixed with; None: they are not.
        cuts: int64, n: the convolution from which on the second latents count.
        noises: of the convolutions.
        offsets: int64, n x 2: pixels by which foreground and mask are moved.
        order: int64, n: a permutation of the images.
    """

    latents: torch.Tensor
    second: torch.Tensor | None
    cuts: torch.Tensor | None
    noises: list[torch.Tensor]
    offsets: torch.Tensor
    order: torch.Tensor


@dataclass(frozen=True)
class Drawing:
    """Draws for one process.

    Attributes:
        settings: of the training.
        rank: of the process.
        placement: where it is needed. Numbers of a GPU's generator are others than those of the CPU's.
    """

    settings: LayerSettings
    rank: int
    placement: Placement

    def of(self, phase: str, step: int, count: int, network: LayerGenerator) -> Drawn:
        """Return what is drawn for `count` images in a phase of a step."""
        settings, rng, device = self.settings, self.numbers(phase, step), self.placement.device
        torches = torch.Generator(device)
        torches.manual_seed(int(rng.integers(2**63)))
        shape = (count, settings.latent)
        offsets = drawn_offsets(count, settings.shift, settings.side, rng)
        order, cuts = rng.permutation(count), self._cuts(rng, count, len(network.foreground.sides))
        return Drawn(
            latents=torch.randn(shape, generator=torches, device=device),
            second=None if cuts is None else torch.randn(shape, generator=torches, device=device),
            cuts=None if cuts is None else self.moved(cuts),
            noises=network.noises(count, torches),
            offsets=self.moved(offsets),
            order=self.moved(order),
        )

    def changes(self, phase: str, step: int, count: int, strength: float) -> Changes:
        """Return the changes of `count` images that the discriminator sees in a phase of a step."""
        rng = self.numbers(f"changes of {phase}", step)
        return drawn_changes(count, strength, self.settings.side, rng).to(self.placement.device)

    def numbers(self, phase: str, step: int) -> np.random.Generator:
        """Return the generator of NumPy that belongs to a phase of a step."""
        return generator("layers", phase, self.settings.seed, step, self.rank)

    def moved(self, values: npt.NDArray[Any]) -> torch.Tensor:
        """Return an array as a tensor on the device."""
        return self.placement.moved(torch.from_numpy(values))

    def _cuts(self, rng: np.random.Generator, count: int, convolutions: int) -> npt.NDArray[np.int64] | None:
        if not self.settings.mixing:
            return None
        mixed = rng.random(count) < self.settings.mixing
        return np.where(mixed, rng.integers(1, convolutions, count), convolutions + 1)
