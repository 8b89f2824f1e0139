"""Drawn objects on drawn grounds, infilled cleanly or so that something of the object stays."""

from __future__ import annotations

import numpy as np
from PIL import Image

from fornet_hf.evaluation.leakage.fields import grown
from fornet_hf.evaluation.leakage.squares import SIDE, Squares

KINDS = ("clean", "cast", "rim", "lit", "unrelated", "shadow", "silhouette")
_Y, _X = np.mgrid[:SIDE, :SIDE] / (SIDE - 1) * 2 - 1


def smooth(rng: np.random.Generator, count: int, cells: int) -> np.ndarray:
    coarse = rng.normal(size=(count, 3, cells, cells)).astype(np.float32)
    size = (SIDE, SIDE)
    return np.stack(
        [np.stack([np.asarray(Image.fromarray(one).resize(size, 3)) for one in image], -1) for image in coarse]
    )


def blobs(rng: np.random.Generator, count: int) -> np.ndarray:
    """Areas with an edge of waves."""
    found = []
    for _ in range(count):
        x, y = _X - rng.uniform(-0.12, 0.12), _Y - rng.uniform(-0.12, 0.12)
        waves = sum(rng.uniform(0, 0.12) / k * np.cos(k * np.arctan2(y, x) + rng.uniform(0, 7)) for k in range(1, 5))
        found.append(np.hypot(x, y) < rng.uniform(0.4, 0.55) + waves)
    return np.stack(found)


def scenes(rng: np.random.Generator, count: int, contrast: float) -> np.ndarray:
    """Colours of any kind, with large and small texture and noise."""
    texture = contrast * smooth(rng, count, 3) + contrast / 2 * smooth(rng, count, 10)
    return rng.uniform(50, 200, (count, 1, 1, 3)) + texture + rng.normal(0, contrast / 5, texture.shape)


def made(kind: str, count: int, seed: int) -> Squares:
    """Return squares of one kind.

    clean: the ground goes on, but for an error of about 8 grey levels; cast: half way to the object's mean colour;
    rim: two pixels along the edge were left; lit: clean, in coloured light that falls on object and ground;
    unrelated: the infill is of another scene; shadow: the ground below the object is darker; silhouette: the infill
    has another texture than the ground.
    """
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    masks = blobs(rng, count)
    inside = masks[..., None]
    ground, objects = scenes(rng, count, 18), scenes(rng, count, 22)
    infill = ground + rng.normal(0, 8, (count, 1, 1, 3)) + 8 * smooth(rng, count, 4)
    if kind == "cast":
        mean = (objects * inside).sum((1, 2), keepdims=True) / inside.sum((1, 2), keepdims=True)
        infill += 0.5 * (mean - infill)
    if kind == "rim":
        infill = np.where((masks & grown(~masks, 2))[..., None], objects, infill)
    if kind == "unrelated":
        infill = scenes(rng, count, 22)
    if kind == "silhouette":
        infill += rng.normal(0, 12, infill.shape)
    if kind == "shadow":
        below = np.roll(masks, (5, 5), (1, 2)) & ~masks
        ground = ground * np.where(below, 0.7, 1)[..., None]
    light = np.exp(rng.normal(0, 0.35, (count, 1, 1, 3))) if kind == "lit" else 1
    sources, backgrounds = (
        (np.where(inside, one, ground) * light).clip(0, 255).astype(np.uint8) for one in (objects, infill)
    )
    keys = [f"{kind}_{seed}_{number}" for number in range(count)]
    return Squares.of(keys, [KINDS.index(kind) % 2] * count, sources, backgrounds, masks)


def auc(higher: np.ndarray, lower: np.ndarray) -> float:
    """Return the share of pairs in which the first is above the second."""
    return float((higher[:, None] > lower[None]).mean())
