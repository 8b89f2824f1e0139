"""PreAct-ResNet18 for small images: residual blocks that normalise first (He et al., arXiv 1603.05027).

As usual for images of 32 pixels, the first layer is a convolution of 3 x 3 without pooling (arXiv 1512.03385,
section 4.2, with the widths and depths of ResNet-18).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

WIDTHS, BLOCKS = (64, 64, 128, 256, 512), 2


class Block(nn.Module):
    """A block of two convolutions of 3 x 3, each after BatchNorm and ReLU, with a shortcut.

    Where the size changes, the shortcut is a convolution of 1 x 1 of the normalised input.
    """

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(before), nn.BatchNorm2d(after)
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        alike = before == after and stride == 1
        self.shortcut = None if alike else nn.Conv2d(before, after, 1, stride, bias=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return n x after x height / stride x width / stride."""
        active = functional.relu(self.norm1(images))
        shortcut = images if self.shortcut is None else self.shortcut(active)
        changed: torch.Tensor = self.conv2(functional.relu(self.norm2(self.conv1(active))))
        return changed + shortcut


def preact_resnet18(num_classes: int = 10) -> nn.Module:
    """Build the network: 11.2 million weights for ten classes; images of any size from 8 pixels on."""
    blocks: list[nn.Module] = [nn.Conv2d(3, WIDTHS[0], 3, 1, 1, bias=False)]
    for number, (before, after) in enumerate(pairwise(WIDTHS)):
        blocks += [Block(before, after, 1 if number == 0 else 2)]
        blocks += [Block(after, after, 1) for _ in range(BLOCKS - 1)]
    blocks += [nn.BatchNorm2d(WIDTHS[-1]), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*blocks, nn.Linear(WIDTHS[-1], num_classes))
