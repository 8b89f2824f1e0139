"""Augmentation of all that a discriminator sees, drawn apart from the pixels that it moves, and as strong as needed.

Karras et al., "Training Generative Adversarial Networks with Limited Data" (NeurIPS 2020), appendix B, of which pixel
blits, general geometric changes and colours are here ("bgc"). Pixels are moved by gathering four neighbours with
weights that have no gradient, so a changed image is linear in its pixels and can be derived any number of times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from fornet_hf.arguments import require
from producers.training.colours import recolourings

_SIZE = 0.2 * math.log(2)  # deviation of the logarithm of scales
_FAR = 0.125  # of the side: longest whole translation, deviation of others


class Changes(NamedTuple):
    """Changes of n images.

    Attributes:
        sources: float32, n x 2 x 3: `matrix @ (x, y, 1)` is the place in the image, from its centre and in pixels,
            whose colour comes to (x, y).
        colours: float32, n x 3 x 4: a matrix of colours, and what is added.
    """

    sources: torch.Tensor
    colours: torch.Tensor

    def to(self, device: torch.device | str) -> Changes:
        """Return the same changes on a device, without waiting for it."""
        return Changes(*(one.to(device, non_blocking=True) for one in self))


def drawn_changes(count: int, strength: float, side: int, generator: np.random.Generator) -> Changes:
    """Return changes that happen with a probability each; at 0 all of them leave images as they are.

    Mirroring, quarter turns, translation by whole pixels (an eighth of the side at most), scaling (2 to a normal of
    0.2), scaling of one side against the other, turns by any angle before and after that, translation (normal, an
    eighth of the side), and those of `recolourings`.

    Args:
        count: of the images.
        strength: the probability, 0 to 1. Each of the two turns has `1 - sqrt(1 - strength)`.
        side: of the images, pixels.
        generator: that draws; it draws the same numbers whatever the strength.

    Raises:
        ConfigurationError: the strength lies outside of 0 to 1.
    """
    require(0 <= strength <= 1, "strength", strength, "0 to 1")
    chances = np.full((8, 1), strength)
    chances[[4, 6]] = 1 - math.sqrt(1 - strength)
    happens = generator.random((8, count)) < chances
    uniform, normal = generator.random((6, count)), generator.standard_normal((4, count))
    angles = (2 * uniform[4:] - 1) * math.pi * happens[[4, 6]]
    grown, longer = np.exp(_SIZE * normal[0] * happens[3]), np.exp(_SIZE * normal[1] * happens[5])
    sources = (
        _matrices(1 - 2 * (happens[0] & (uniform[0] < 0.5)), 0, 0, 1)
        @ _quarters(np.floor(4 * uniform[1]) * happens[1])
        @ _translations(np.rint((2 * uniform[2:4] - 1) * _FAR * side) * happens[2])
        @ _matrices(1 / grown, 0, 0, 1 / grown)
        @ _turns(angles[0])
        @ _matrices(1 / longer, 0, 0, longer)
        @ _turns(angles[1])
        @ _translations(normal[2:] * _FAR * side * happens[7])
    )
    colours = recolourings(count, strength, generator)
    return Changes(torch.from_numpy(sources[:, :2].astype(np.float32)), torch.from_numpy(colours))


def changed(images: torch.Tensor, changes: Changes) -> torch.Tensor:
    """Return changed images; beyond its borders an image is mirrored.

    Args:
        images: float, n x 3 x height x width, colours about -1 to 1.
        changes: as many, on the same device.
    """
    moved = _moved(images, changes.sources)
    colours = changes.colours.to(images.dtype)[..., None, None]
    return (colours[:, :, :3] * moved[:, None]).sum(2) + colours[:, :, 3]


@dataclass
class AdaptiveStrength:
    """A strength that rises while the discriminator is too sure of real images, and falls while it is not.

    Its measure of that is the mean sign of real images' logits (section 3.2 of the paper).

    Attributes:
        strength: at present, 0 to 1; a checkpoint keeps it.
        target: mean sign at which it stays.
        kimg: thousands of images in which it rises from 0 to 1.
    """

    strength: float = 0.0
    target: float = 0.6
    kimg: float = 500.0

    def update(self, sign: float, images: int) -> float:
        """Adapt the strength, and return it.

        Args:
            sign: mean sign of the logits of real images since the last call, -1 to 1.
            images: that were seen since the last call.
        """
        step = float(np.sign(sign - self.target)) * images / (self.kimg * 1000)
        self.strength = min(1.0, max(0.0, self.strength + step))
        return self.strength


def _moved(images: torch.Tensor, sources: torch.Tensor) -> torch.Tensor:
    count, channels, high, wide = images.shape
    rows, columns = (torch.arange(one, device=images.device, dtype=sources.dtype) for one in (high, wide))
    x, y = columns - (wide - 1) / 2, (rows - (high - 1) / 2)[:, None]
    place = sources[:, :, 0, None, None] * x + sources[:, :, 1, None, None] * y + sources[:, :, 2, None, None]
    left, right, across = _neighbours(place[:, 0] + (wide - 1) / 2, wide)
    above, below, down = _neighbours(place[:, 1] + (high - 1) / 2, high)
    pixels = images.flatten(2)
    corners = ((above, left), (above, right), (below, left), (below, right))
    first, second, third, fourth = (
        pixels.gather(2, (row * wide + column).view(count, 1, -1).expand(-1, channels, -1)).view_as(images)
        for row, column in corners
    )
    across, down = across[:, None].to(images.dtype), down[:, None].to(images.dtype)
    return (first * (1 - across) + second * across) * (1 - down) + (third * (1 - across) + fourth * across) * down


def _neighbours(places: torch.Tensor, length: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the pixels on both sides of places along a mirrored row, and the share of the second one."""
    period = 2 * (length - 1)
    places = places.remainder(period)
    places = torch.minimum(places, period - places)
    first = places.floor()
    index = first.long()
    return index, (index + 1).clamp(max=length - 1), places - first


def _matrices(a: npt.ArrayLike, b: npt.ArrayLike, c: npt.ArrayLike, d: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return [[a, b, 0], [c, d, 0], [0, 0, 1]] for each of n images."""
    parts = np.broadcast_arrays(a, b, c, d)
    result = np.zeros((parts[0].size, 3, 3))
    result[:, :2, :2] = np.stack(parts, -1).reshape(-1, 2, 2)
    result[:, 2, 2] = 1
    return result


def _quarters(number: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    cosine, sine = np.array([1, 0, -1, 0])[number.astype(int)], np.array([0, 1, 0, -1])[number.astype(int)]
    return _matrices(cosine, -sine, sine, cosine)


def _turns(angle: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return _matrices(np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle))


def _translations(by: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    result = _matrices(np.ones(by.shape[1]), 0, 0, 1)
    result[:, :2, 2] = -by.T
    return result
