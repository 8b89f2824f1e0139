"""A small network that can learn all that is planted: it knows where in the image it looks."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

INPUT = 128  # pixels


class WithPlaces(nn.Module):
    """Images with two more channels: where each pixel is, -1 to 1 (CoordConv, arXiv 1807.03247)."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return n x 5 x height x width."""
        count, _, height, width = images.shape
        y, x = (torch.linspace(-1, 1, side, device=images.device, dtype=images.dtype) for side in (height, width))
        places = torch.stack(torch.meshgrid(y, x, indexing="ij")).expand(count, -1, -1, -1)
        return torch.cat((images, places), 1)


def small(num_classes: int = 6) -> nn.Module:
    """Build five convolutions and a mean over all places."""
    widths = (5, 24, 48, 96, 128)
    blocks: list[nn.Module] = []
    for before, after in pairwise(widths):
        blocks += [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    last = widths[-1]
    blocks += [nn.Conv2d(last, last, 3, padding=1, bias=False), nn.BatchNorm2d(last), nn.ReLU()]
    return nn.Sequential(WithPlaces(), *blocks, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(last, num_classes))
