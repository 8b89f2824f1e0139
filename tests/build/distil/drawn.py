"""Drawn objects: an orange ellipse on a dark ground, with noise; known masks for training and scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from fornet_hf.format.masks import encode_mask


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """An image of any of several shapes, uint8, and the mask of its object."""
    rng = np.random.default_rng(seed)
    width, height = (int(one) for one in rng.integers(60, 130, 2))
    y, x = np.mgrid[:height, :width]
    slopes = x[..., None] * rng.uniform(-0.4, 0.4, 3) + y[..., None] * rng.uniform(-0.4, 0.4, 3)
    image = rng.integers(0, 120, 3) + slopes
    centre, radii = rng.uniform(0.35, 0.65, 2) * (width, height), rng.uniform(0.18, 0.3, 2) * min(width, height)
    mask = ((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2 <= 1
    image[mask] = rng.integers(200, 256), rng.integers(70, 140), rng.integers(0, 60)
    return (image + rng.normal(0, 10, image.shape)).clip(0, 255).astype(np.uint8), mask


def write_drawn(root: Path, count: int, *, first: int = 0, group: str = "train/thing") -> tuple[Path, Path]:
    """Drawn images below `root/images`, and their masks in `root/masks`."""
    images, masks = root / "images", root / "masks"
    for folder in (images / group, masks):
        folder.mkdir(parents=True, exist_ok=True)
    for seed in range(first, first + count):
        image, mask = drawn(seed)
        Image.fromarray(image).save(images / group / f"{seed:04}.jpg", quality=92)
        (masks / f"{seed:04}.png").write_bytes(encode_mask(mask))
    return images, masks
