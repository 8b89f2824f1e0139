"""Drawn objects on drawn grounds, with their masks: a set on which the separation of layers can be measured.

Each ground is a sky above a land whose horizon lies where it lies in most images; each object is a blob of its own
shape, colours and place, somewhere about the middle. Nothing of an object follows from its ground.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from fornet_hf.recombination.draw.rng import generator

_OVER = 4  # samples a pixel in each direction, so that edges are as soft as those of photographs
_HARMONICS = 3


class Drawn(NamedTuple):
    """One image, uint8 of side x side x 3, and the mask of its object, bool of side x side."""

    image: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.bool_]


def drawn(side: int, seed: int, number: int) -> Drawn:
    """Draw one image; the same for the same arguments."""
    random = generator("drawn", seed, number)
    y, x = np.mgrid[: side * _OVER, : side * _OVER].astype(np.float32) / (side * _OVER) + 0.5 / (side * _OVER)
    ground, alpha, colours = _ground(random, x, y), *_object(random, x, y)
    pixels = ground * (1 - alpha[..., None]) + colours * alpha[..., None]
    small = pixels.reshape(side, _OVER, side, _OVER, 3).mean((1, 3)) + random.normal(0, 0.01, (side, side, 3))
    mask = alpha.reshape(side, _OVER, side, _OVER).mean((1, 3)) >= 0.5
    return Drawn((small.clip(0, 1) * 255).round().astype(np.uint8), mask)


def _ground(random: np.random.Generator, x: npt.NDArray, y: npt.NDArray) -> npt.NDArray[np.float32]:
    horizon = random.normal(0.55, 0.06) + 0.04 * np.sin(2 * np.pi * (x * random.uniform(0.5, 2) + random.uniform()))
    sky, land = random.uniform(0.15, 0.85, (2, 3))
    waves = sum(
        np.sin(2 * np.pi * (random.normal(0, 4) * x + random.normal(0, 4) * y + random.uniform())) for _ in range(3)
    )
    below = 1 / (1 + np.exp(-(y - horizon) * 80))
    pixels = (sky + 0.3 * (y[..., None] - 0.3)) * (1 - below[..., None])
    return (pixels + (land + 0.06 * waves[..., None]) * below[..., None]).astype(np.float32)


def _object(
    random: np.random.Generator, x: npt.NDArray, y: npt.NDArray
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return where the object is, 0 to 1, and its colours."""
    middle, radius = random.uniform(0.35, 0.65, 2), random.uniform(0.2, 0.3)
    dx, dy = x - middle[0], y - middle[1]
    angle = np.arctan2(dy, dx)
    outline = sum(
        random.normal(0, 0.12 / k) * np.cos(k * angle + random.uniform(0, 2 * np.pi))
        for k in range(2, 2 + _HARMONICS)
    )
    alpha = (np.hypot(dx, dy) < radius * (1 + outline)).astype(np.float32)
    body = np.array([0.85, 0.3, 0.15]) + random.normal(0, 0.1, 3)
    stripe = np.array([0.95, 0.85, 0.3]) + random.normal(0, 0.1, 3)
    turn, pitch = random.uniform(0, np.pi), random.uniform(4, 9)
    bands = 0.5 + 0.5 * np.sin(2 * np.pi * pitch * (dx * np.cos(turn) + dy * np.sin(turn)))
    shade = 1 - 0.35 * np.clip(np.hypot(dx + radius / 3, dy + radius / 3) / (2 * radius), 0, 1)
    colours = (body + (stripe - body) * bands[..., None]) * shade[..., None]
    return alpha, colours.astype(np.float32)


def write(folder: Path, count: int, side: int, seed: int) -> None:
    """Write images and masks as PNG files of the same names."""
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        one, name = drawn(side, seed, number), f"{number:05}.png"
        Image.fromarray(one.image).save(folder / "images" / name)
        Image.fromarray(one.mask.view(np.uint8) * 255).save(folder / "masks" / name)
