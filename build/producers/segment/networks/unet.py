"""The plain U-Net (Ronneberger et al., 2015) with batch normalisation, as both of the presets have it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn


class UNet(nn.Module):
    """A U-Net of 3 channels in; sides of its input are multiples of `2 ** (len(widths) - 1)`.

    A level halves the sides, by the maximum of 2 x 2, and has two convolutions of 3 x 3, each with batch
    normalisation and a ReLU. On the way up, transposed convolutions double the sides and halve the channels; or
    bilinear scaling (corners not aligned) doubles them, and the convolutions give half of their level's channels.

    Attributes:
        classes: channels out: 1 is the logit of the object; of 2 the second is the object's.
    """

    def __init__(self, widths: Sequence[int], classes: int = 1, *, bilinear: bool = False) -> None:
        super().__init__()
        self.classes = classes
        self.down = nn.ModuleList(_convolutions(*pair) for pair in pairwise([3, *widths]))
        self.up, self.join = nn.ModuleList(), nn.ModuleList()
        below = widths[-1]
        for level in reversed(range(len(widths) - 1)):
            skip = widths[level]
            wide = below if bilinear else below // 2
            self.up.append(_Double() if bilinear else nn.ConvTranspose2d(below, wide, 2, stride=2))
            out = max(1, skip // 2) if bilinear and level else skip
            self.join.append(_convolutions(skip + wide, out, (skip + wide) // 2 if bilinear else out))
            below = out
        self.head = nn.Conv2d(below, classes, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits of n x classes x height x width for images of n x 3 x height x width."""
        skips, found = [], images
        for level, block in enumerate(self.down):
            found = block(nn.functional.max_pool2d(found, 2) if level else found)
            skips.append(found)
        for up, join, skip in zip(self.up, self.join, skips[-2::-1], strict=True):
            found = join(torch.cat([skip, up(found)], 1))
        result: torch.Tensor = self.head(found)
        return result


class _Double(nn.Module):
    """Bilinear scaling to twice the sides."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return nn.functional.interpolate(images, scale_factor=2, mode="bilinear", align_corners=False)


def _convolutions(channels: int, out: int, between: int | None = None) -> nn.Sequential:
    between = between or out
    return nn.Sequential(
        nn.Conv2d(channels, between, 3, padding=1, bias=False),
        nn.BatchNorm2d(between),
        nn.ReLU(inplace=True),
        nn.Conv2d(between, out, 3, padding=1, bias=False),
        nn.BatchNorm2d(out),
        nn.ReLU(inplace=True),
    )
