"""Photographs at sizes like ImageNet's: half of them of a few common sizes, the others of a thousand different ones.

Nobody publishes a histogram, so this is a model of it, with a tail as broad as batches of equal shape say. ImageNet's
own images fill 4.4 of 8 places in GroundingDINO and 3.8 of 16 in LaMa in windows of 128, 7.3 and 9.0 in windows of
2048; sizes that are drawn here 4.0 and 4.3, 7.5 and 8.7.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from benchmarks.photos import photos
from fornet_hf.classes import imagenet_classes

Size = tuple[int, int]  # width, height

USUAL = ((500, 375), (500, 333), (375, 500), (500, 334), (500, 500), (333, 500), (640, 480), (500, 400))
"""Sizes in turn, for benchmarks to which their shares do not matter."""

COMMON = {
    (500, 375): 0.30, (375, 500): 0.09, (500, 333): 0.085, (333, 500): 0.03, (640, 480): 0.025, (500, 500): 0.02,
    (500, 334): 0.02, (500, 332): 0.012, (1024, 768): 0.008, (1600, 1200): 0.008, (500, 400): 0.007,
    (500, 374): 0.007, (500, 376): 0.007, (400, 300): 0.006, (334, 500): 0.006, (500, 335): 0.006,
    (480, 640): 0.006, (800, 600): 0.006, (500, 281): 0.005, (300, 225): 0.004,
}  # fmt: skip
"""Common sizes and their weights."""

_COMMON, _LONG_500, _UPRIGHT = 0.55, 0.75, 0.3  # shares: of all; of the rest; of the rest


def draw(count: int, seed: int = 0) -> list[Size]:
    """Draw that many sizes; the first ones are the same for any number."""
    rng = np.random.default_rng(seed)
    sizes, weights = list(COMMON), np.array(list(COMMON.values()))
    shares = weights / weights.sum()
    return [sizes[rng.choice(len(sizes), p=shares)] if rng.random() < _COMMON else _rare(rng) for _ in range(count)]


def _rare(rng: np.random.Generator) -> Size:
    if rng.random() < _LONG_500:
        long, short = 500, int(np.clip(rng.normal(365, 35), 200, 500))
    else:
        long = int(np.exp(rng.normal(np.log(450), 0.45)))
        short = max(60, int(long * np.exp(-abs(rng.normal(0.28, 0.1)))))
    return (short, long) if rng.random() < _UPRIGHT else (long, short)


def write_photographs(root: Path, count: int) -> None:
    """Write a folder like ImageNet's, with one class and that many files, JPEG of quality 90.

    The photographs are the eight that all benchmarks share, cut and scaled.
    """
    wnid = imagenet_classes()[0].wnid
    folder = root / "train" / wnid
    folder.mkdir(parents=True)
    for number, image in enumerate(_fitted(count)):
        image.save(folder / f"{wnid}_{number}.JPEG", quality=90)


def _fitted(count: int) -> Iterator[Image.Image]:
    samples = [photo.image for photo in photos()]
    for number, size in enumerate(draw(count)):
        yield ImageOps.fit(samples[number % len(samples)], size)
