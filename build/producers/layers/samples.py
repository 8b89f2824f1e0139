"""Samples of a generator of layers: each of them follows from its number and the seed alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from fornet_hf.recombination.draw.rng import generator
from producers.devices.placement import Placement
from producers.layers.composition import Layers, composed, drawn_offsets, shifted
from producers.layers.networks.generator import LayerGenerator
from producers.layers.written import Sample

_MEAN_OF = 4096  # styles, always of the same latents


class Truncated(nn.Module):
    """A mapping whose styles lie nearer to their mean than those of another one.

    Args:
        mapping: the other one.
        latent: size of its latents.
        share: of a style's distance from the mean that is kept: `mean + share (style - mean)`.
    """

    def __init__(self, mapping: nn.Module, latent: int, share: float) -> None:
        super().__init__()
        self.mean: torch.Tensor
        self.mapping, self.share = mapping, share
        fixed = generator("mean style").standard_normal((_MEAN_OF, latent), np.float32)
        place = next(mapping.parameters())
        with torch.no_grad():
            self.register_buffer("mean", mapping(torch.from_numpy(fixed).to(place.device)).mean(0))

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        """Return n x style."""
        return torch.lerp(self.mean, self.mapping(latents), self.share)


class Sampler:
    """A generator that draws numbered samples, of constant noise.

    Args:
        network: the generator; it is moved to the placement's device, and keeps the truncation.
        placement: where, and how precisely.
        seed: of the latents.
        truncation: share of a style's distance from the mean style that is kept, 0 to 1, which is all variety.
        shift: share of the side by which foregrounds and masks are moved at most, as in the training.
    """

    def __init__(
        self,
        network: LayerGenerator,
        placement: Placement,
        *,
        seed: int = 0,
        truncation: float = 1.0,
        shift: float = 0.0,
    ) -> None:
        self.network, self.placement = network.to(placement.device).eval(), placement
        self.seed, self.shift = seed, shift
        if truncation != 1:
            for name in ("foreground_mapping", "background_mapping"):
                mapping = getattr(network, name)
                setattr(network, name, Truncated(mapping, network.spec.latent, truncation))

    def __call__(self, numbers: Sequence[int]) -> list[Sample]:
        """Return the samples of these numbers, from 0, as levels."""
        return samples_of(self.layers(numbers))

    def layers(self, numbers: Sequence[int]) -> Layers:
        """Return the layers of these numbers, from 0; each is the same in any batch, but for its rounding."""
        with self.placement.inference():
            drawn = latents(self.seed, numbers, self.network.spec.latent)
            found: Layers = self.network(self.placement.moved(drawn))
            if self.shift:
                offsets = offsets_of(self.seed, numbers, self.shift, self.network.spec.side)
                found = shifted(found, self.placement.moved(offsets))
            return found


def latents(seed: int, numbers: Sequence[int], size: int) -> torch.Tensor:
    """Return the latents of numbered samples: float32, n x size, unit normal; each follows from seed and number."""
    drawn = [generator("latents", seed, number).standard_normal(size, np.float32) for number in numbers]
    return torch.from_numpy(np.stack(drawn))


def offsets_of(seed: int, numbers: Sequence[int], reach: float, side: int) -> torch.Tensor:
    """Return the offsets of numbered samples, as of `drawn_offsets`; each follows from seed and number."""
    drawn = [drawn_offsets(1, reach, side, generator("shift of a sample", seed, number)) for number in numbers]
    return torch.from_numpy(np.concatenate(drawn))


def samples_of(layers: Layers) -> list[Sample]:
    """Return layers as levels, on the CPU. Colours beyond -1 to 1 become the nearest level there is."""
    colours = torch.cat([composed(layers), layers.foreground, layers.background], 1)
    levels = torch.cat([(colours + 1) * 127.5, layers.mask * 255], 1)
    codes = levels.float().round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous().cpu().numpy()
    image, foreground, background, soft = (np.ascontiguousarray(part) for part in np.split(codes, (3, 6, 9), axis=3))
    return [Sample(*one) for one in zip(image, soft[..., 0], foreground, background, strict=True)]
