"""The generator of layers: one latent, and two style-based networks that paint background and foreground of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from producers.layers.composition import Layers
from producers.layers.networks.card import LayerSpec
from producers.layers.networks.modulated import Linear, ModulatedConv, activated, doubled

_RATE = 0.01  # of mapping networks, relative to the rest


class Mapping(nn.Module):
    """Fully connected layers that turn latents into styles; in float32 under autocast, too.

    Args:
        spec: form of the generator.
    """

    def __init__(self, spec: LayerSpec) -> None:
        super().__init__()
        widths = [spec.latent] + [spec.style] * spec.mapping
        self.layers = nn.ModuleList(Linear(*pair, rate=_RATE) for pair in pairwise(widths))

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        """Return float32, n x style, of n x latent, which are scaled to a mean square of 1 first."""
        with torch.autocast(latents.device.type, enabled=False):
            found = latents.float()
            found = found * (found.square().mean(1, keepdim=True) + 1e-8).rsqrt()
            for layer in self.layers:
                found = activated(layer(found))
            return found


class StyledConv(nn.Module):
    """A modulated convolution with noise, bias and leaky ReLU.

    Args:
        channels: in.
        outputs: channels out.
        side: of what comes out, pixels.
        spec: form of the generator.
        up: whether it doubles the sides.
    """

    noise: torch.Tensor

    def __init__(self, channels: int, outputs: int, side: int, spec: LayerSpec, *, up: bool = False) -> None:
        super().__init__()
        self.clamp = spec.clamp
        self.convolution = ModulatedConv(channels, outputs, spec.style, up=up)
        self.strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("noise", torch.randn(1, 1, side, side))

    def forward(self, values: torch.Tensor, styles: torch.Tensor, noise: torch.Tensor | None) -> torch.Tensor:
        """Return n x outputs x side x side, of the constant noise if none is given."""
        found = self.convolution(values, styles)
        added = self.strength * (self.noise if noise is None else noise) + self.bias[:, None, None]
        return activated(found + added.to(found.dtype), self.clamp)


class Synthesis(nn.Module):
    """A network that paints by styles, from a learned constant of 4 x 4 on; each resolution adds to the image.

    Args:
        spec: form of the generator.
        outputs: channels of the images.

    Attributes:
        sides: of each convolution's features, pixels, in the order in which they take styles and noises.
    """

    def __init__(self, spec: LayerSpec, outputs: int) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.randn(1, spec.channels(4), 4, 4))
        self.convolutions, self.images = nn.ModuleList(), nn.ModuleList()
        self.sides: list[int] = []
        channels = spec.channels(4)
        for side in spec.resolutions:
            wide, steps = spec.channels(side), (True, False) if side > 4 else (False,)
            for up in steps:
                self.convolutions.append(StyledConv(channels, wide, side, spec, up=up))
                self.sides.append(side)
                channels = wide
            self.images.append(ModulatedConv(wide, outputs, spec.style, 1, demodulate=False))
        self.bias = nn.Parameter(torch.zeros(len(self.images), outputs))

    def forward(self, styles: Sequence[torch.Tensor], noises: Sequence[torch.Tensor] | None) -> torch.Tensor:
        """Return float32, n x outputs x side x side.

        Args:
            styles: n x style for each convolution, and one more for the last image.
            noises: n or 1 x 1 x side x side for each convolution; None: the constant ones.
        """
        found = self.start.expand(len(styles[0]), -1, -1, -1)
        image = self.bias.new_zeros(1, self.bias.shape[1], 2, 2)
        for number, convolution in enumerate(self.convolutions):
            found = convolution(found, styles[number], None if noises is None else noises[number])
            if number % 2 == 0:  # the last of its resolution
                level = number // 2
                added = self.images[level](found, styles[number + 1]).float() + self.bias[level][:, None, None]
                image = doubled(image) + added
        return image


class LayerGenerator(nn.Module):
    """A generator of foreground, mask and background: two mappings and two syntheses, fed by the same latents.

    Args:
        spec: its form.
    """

    def __init__(self, spec: LayerSpec) -> None:
        super().__init__()
        self.spec = spec
        self.foreground_mapping, self.background_mapping = Mapping(spec), Mapping(spec)
        self.foreground, self.background = Synthesis(spec, 4), Synthesis(spec, 3)

    def forward(
        self,
        latents: torch.Tensor,
        *,
        second: torch.Tensor | None = None,
        cuts: torch.Tensor | None = None,
        noises: Sequence[torch.Tensor] | None = None,
    ) -> Layers:
        """Paint layers, in float32.

        Args:
            latents: float, n x latent, of a unit normal distribution.
            second: latents likewise that styles are mixed with; None: they are not.
            cuts: int64, n: the number of the convolution, 0 to `2 log2(side) - 3`, from which on an image takes
                the styles of `second`.
            noises: of `noises`; None: each convolution has a constant one.
        """
        styles = [
            self._styles(one, latents, second, cuts) for one in (self.foreground_mapping, self.background_mapping)
        ]
        count = len(self.foreground.sides)
        halves = (None, None) if noises is None else (noises[:count], noises[count:])
        painted = self.foreground(styles[0], halves[0])
        background = self.background(styles[1], halves[1])
        return Layers(painted[:, :3], torch.sigmoid(painted[:, 3:] + self.spec.mask_bias), background)

    def noises(self, count: int, generator: torch.Generator) -> list[torch.Tensor]:
        """Return unit normal noise for `count` images: float32, n x 1 x side x side, for each convolution.

        Args:
            count: of the images.
            generator: that draws, on its device; the noises go to that of the network.
        """
        sides = [*self.foreground.sides, *self.background.sides]
        shapes = [(count, 1, side, side) for side in sides]
        drawn = [torch.randn(shape, generator=generator, device=generator.device) for shape in shapes]
        return [one.to(self.foreground.start.device) for one in drawn]

    def _styles(
        self, mapping: nn.Module, latents: torch.Tensor, second: torch.Tensor | None, cuts: torch.Tensor | None
    ) -> list[torch.Tensor]:
        """Return the styles of each convolution, and of the last image."""
        count = len(self.foreground.sides) + 1
        first = mapping(latents)
        if second is None or cuts is None:
            return [first] * count
        other = mapping(second)
        return [torch.where((number < cuts)[:, None], first, other) for number in range(count)]
