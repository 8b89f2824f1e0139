"""A network of big-lama's size and shape with random weights: what it costs, not what it paints.

Published facts: 64 channels at full size, three halvings, 18 residual blocks of fast Fourier convolutions of which
three quarters of the channels are global, 51 million parameters.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

WIDTH, HALVINGS, BLOCKS, GLOBAL = 64, 3, 18, 0.75
Pair = tuple[torch.Tensor, torch.Tensor]


class Spectral(nn.Module):
    """A 1 x 1 convolution of the spectrum, between two of the image."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.first = nn.Sequential(nn.Conv2d(channels, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU())
        self.waves = nn.Sequential(nn.Conv2d(2 * half, 2 * half, 1, bias=False), nn.BatchNorm2d(2 * half), nn.ReLU())
        self.last = nn.Conv2d(half, channels, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The same shape again."""
        x = self.first(x)
        spectrum = torch.fft.rfftn(x, dim=(2, 3), norm="ortho")
        parts = torch.view_as_real(spectrum).permute(0, 1, 4, 2, 3).flatten(1, 2)
        parts = self.waves(parts).unflatten(1, (-1, 2)).permute(0, 1, 3, 4, 2).contiguous()
        wide = torch.fft.irfftn(torch.view_as_complex(parts), s=x.shape[2:], dim=(2, 3), norm="ortho")
        result: torch.Tensor = self.last(x + wide)
        return result


class Mixed(nn.Module):
    """Local and global channels, each made of both."""

    def __init__(self, near: int, far: int) -> None:
        super().__init__()

        def conv(before: int, after: int) -> nn.Module:
            return nn.Conv2d(before, after, 3, padding=1, bias=False, padding_mode="reflect")

        self.near_near, self.far_near, self.near_far = conv(near, near), conv(far, near), conv(near, far)
        self.far_far = Spectral(far)
        self.norms = nn.ModuleList([nn.BatchNorm2d(near), nn.BatchNorm2d(far)])

    def forward(self, pair: Pair) -> Pair:
        """The same shapes again."""
        near, far = pair
        return (
            self.norms[0](self.near_near(near) + self.far_near(far)).relu(),
            self.norms[1](self.near_far(near) + self.far_far(far)).relu(),
        )


class LamaLike(nn.Module):
    """Image (float32, n x 3 x h x w, 0 to 1) and hole (n x 1 x h x w) to image; sides are multiples of 8."""

    def __init__(self) -> None:
        super().__init__()
        top = WIDTH * 2**HALVINGS
        far = int(GLOBAL * top)
        sides = [WIDTH * 2**level for level in range(HALVINGS + 1)]
        self.down = nn.Sequential(
            nn.Conv2d(4, WIDTH, 7, padding=3, padding_mode="reflect"),
            *(self._step(nn.Conv2d(a, b, 3, 2, 1), b) for a, b in pairwise(sides)),
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(Mixed(top - far, far), Mixed(top - far, far)) for _ in range(BLOCKS)
        )
        self.split = (top - far, far)
        self.up = nn.Sequential(
            *(
                self._step(nn.ConvTranspose2d(b, a, 3, 2, 1, output_padding=1), a)
                for a, b in reversed(list(pairwise(sides)))
            ),
            nn.Conv2d(WIDTH, 3, 7, padding=3, padding_mode="reflect"),
            nn.Sigmoid(),
        )

    @staticmethod
    def _step(convolution: nn.Module, channels: int) -> nn.Module:
        return nn.Sequential(convolution, nn.BatchNorm2d(channels), nn.ReLU())

    def forward(self, image: torch.Tensor, hole: torch.Tensor) -> torch.Tensor:
        """The image with its hole filled by noise."""
        inside = hole.float()
        near, far = self.down(torch.cat([image * (1 - inside), inside], 1)).split(self.split, 1)
        for block in self.blocks:
            more = block((near, far))
            near, far = near + more[0], far + more[1]
        painted: torch.Tensor = self.up(torch.cat([near, far], 1))
        return inside * painted + (1 - inside) * image
