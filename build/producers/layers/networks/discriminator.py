"""The discriminator: residual blocks that halve the image, and the deviation within small groups of a batch."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import nn

from producers.layers.networks.card import LayerSpec
from producers.layers.networks.modulated import Conv, Linear, activated


class Discriminator(nn.Module):
    """A residual discriminator of images (Karras et al., CVPR 2020), without conditions.

    Args:
        spec: form of the generator; channels follow from it.
        group: images whose deviation is looked at together.
    """

    def __init__(self, spec: LayerSpec, group: int = 4) -> None:
        super().__init__()
        self.group, self.clamp = group, spec.clamp
        widths = [spec.channels(side) for side in reversed(spec.resolutions)]
        self.first = Conv(3, widths[0], 1)
        self.blocks = nn.ModuleList(_Block(*pair, spec.clamp) for pair in pairwise(widths))
        self.last = Conv(widths[-1] + 1, widths[-1])
        self.hidden = Linear(widths[-1] * 16, widths[-1])
        self.score = Linear(widths[-1], 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits of being real: float32, n, for float images of n x 3 x side x side, about -1 to 1."""
        found = activated(self.first(images), self.clamp)
        for block in self.blocks:
            found = block(found)
        found = activated(self.last(with_deviation(found, self.group)), self.clamp)
        with torch.autocast(images.device.type, enabled=False):
            hidden = activated(self.hidden(found.float().flatten(1)))
            logits: torch.Tensor = self.score(hidden)[:, 0]
        return logits


class _Block(nn.Module):
    """Two convolutions, the second of which halves the sides, beside a shorter way of one."""

    def __init__(self, channels: int, outputs: int, clamp: float | None) -> None:
        super().__init__()
        self.clamp = clamp
        self.stay = Conv(channels, channels)
        self.down = Conv(channels, outputs, down=True)
        self.skip = Conv(channels, outputs, 1, down=True, bias=False)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        found = activated(self.down(activated(self.stay(values), self.clamp)), self.clamp)
        result: torch.Tensor = (found + self.skip(values)) * math.sqrt(0.5)
        return result


def with_deviation(values: torch.Tensor, group: int) -> torch.Tensor:
    """Return features with one channel more: how much images of a group differ (Karras et al., ICLR 2018).

    It is the standard deviation of each feature within the group, averaged over features and places. Groups are of
    the largest size up to `group` that divides the batch; image i belongs to group `i mod (n / size)`.

    Args:
        values: n x channels x height x width.
        group: images of a group at most.
    """
    count, _, high, wide = values.shape
    size = max(one for one in range(1, min(group, count) + 1) if count % one == 0)
    groups = values.float().reshape(size, count // size, -1, high, wide)
    deviation = ((groups - groups.mean(0)).square().mean(0) + 1e-8).sqrt().mean((1, 2, 3))
    added = deviation.repeat(size)[:, None, None, None].expand(count, 1, high, wide)
    return torch.cat([values, added.to(values.dtype)], 1)
