#!/usr/bin/env python
"""Draw a labelled set in which background, position and size predict the class, each as often as you like.

    python examples/planted_bias/draw.py OUT --background 0.95 --position 0.95 --size 0.95

A class is a shape, such as a star, of any colour and direction. Each class also has a background (a texture), a
place and a size of its own; an image has the class's own with the probability given, else any. OUT gets
{train,val}/CLASS/NAME.JPEG and boxes.json for build/create_patches.py --boxes.
"""

from __future__ import annotations

import argparse
import colorsys
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from fornet_hf.arguments import require
from fornet_hf.files import write_text
from fornet_hf.recombination.draw.rng import generator

SIDE = 224  # pixels
CLASSES = ("arrow", "cross", "disc", "square", "star", "triangle")
SHARES = (0.03, 0.05, 0.08, 0.13, 0.21, 0.34)  # of the image's area, the own one of each class
PLACES = ((0.5, 0.5),) * 4 + ((0.27, 0.27), (0.73, 0.73))  # most classes live in the centre, as in photographs
_FINE = 2  # pixels that are drawn for one that is kept
Colours = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Planted:
    """Probability with which an image has its class's own background, position and size; 0: they say nothing."""

    background: float = 0.0
    position: float = 0.0
    size: float = 0.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            require(0 <= value <= 1, name, value, "0 to 1")


def draw_set(out: Path, planted: Planted, counts: dict[str, int], seed: int = 0) -> None:
    """Draw all images of the splits `counts`, so many of each class."""
    boxes = {}
    for split, count in counts.items():
        for label, name in enumerate(CLASSES):
            folder = out / split / name
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(count):
                key = f"{name}_{split}_{number:05}"
                image, box = draw_image(label, planted, generator("planted", seed, key))
                image.save(folder / f"{key}.JPEG", quality=95)
                boxes[key] = [[edge / SIDE for edge in box]]
    write_text(out / "boxes.json", json.dumps(boxes))


def draw_image(
    label: int, planted: Planted, rng: np.random.Generator
) -> tuple[Image.Image, tuple[int, int, int, int]]:
    """Return an image (RGB, SIDE x SIDE) of a class, and the box around its object, pixels."""

    def own(probability: float) -> int:
        """Return the class whose background, place or size this image has."""
        return label if rng.random() < probability else int(rng.integers(len(CLASSES)))

    texture, place, share = (own(p) for p in (planted.background, planted.position, planted.size))
    free = rng.random() >= planted.position  # then the place is any, not only that of another class
    colours = 0.55 * _texture(texture, rng) + 0.45 * rng.random((1, 1, 3))
    canvas = Image.fromarray((255 * np.clip(colours + rng.normal(0, 0.04, colours.shape), 0, 1)).astype(np.uint8))
    points = _outline(CLASSES[label], rng.uniform(0, 2 * math.pi))
    points *= SIDE * math.sqrt(SHARES[share] * rng.uniform(0.8, 1.25) / _area(points))
    reach = np.abs(points).max(axis=0)
    wanted = rng.uniform(0, 1, 2) if free else np.array(PLACES[place]) + rng.normal(0, 0.02, 2)
    points += np.clip(wanted * SIDE, reach + 2, SIDE - reach - 2)
    mask = Image.new("L", (SIDE * _FINE, SIDE * _FINE))
    ImageDraw.Draw(mask).polygon([tuple(point) for point in points * _FINE], fill=255)
    mask = mask.resize((SIDE, SIDE), Image.Resampling.BOX)
    canvas.paste(_colour(rng), (0, 0), mask)
    left, top, right, bottom = mask.getbbox() or (0, 0, SIDE, SIDE)
    return canvas, (max(left - 2, 0), max(top - 2, 0), min(right + 2, SIDE), min(bottom + 2, SIDE))


def _colour(rng: np.random.Generator) -> tuple[int, ...]:
    bright = colorsys.hsv_to_rgb(rng.random(), 0.9, rng.choice((0.15, 0.95)))
    return tuple(round(255 * part) for part in bright)


def _texture(kind: int, rng: np.random.Generator) -> Colours:
    """Return a texture (SIDE x SIDE x 3, 0 to 1) in two colours of its own."""
    y, x = np.mgrid[:SIDE, :SIDE] + rng.uniform(0, SIDE, (2, 1, 1))
    step = SIDE / rng.uniform(9, 13)
    waves = np.sin(2 * math.pi * x / step), np.sin(2 * math.pi * y / step)
    levels = (
        waves[0] > 0,  # upright stripes
        waves[1] > 0,  # lying stripes
        waves[0] * waves[1] > 0,  # checks
        waves[0] + waves[1] > 1,  # dots
        np.sin(2 * math.pi * (x + y) / (1.4 * step)) > 0,  # slanted stripes
        np.sin(2 * math.pi * np.hypot(x - x.mean(), y - y.mean()) / step) > 0,  # rings
    )[kind]
    first, second = rng.random(3), rng.random(3)
    return np.where(levels[..., None], first, second)


def _outline(name: str, turn: float) -> npt.NDArray[np.float64]:
    """Return the corners of a shape around its centre, turned, in any unit."""
    corners: dict[str, list[tuple[float, float]]] = {
        "arrow": [(-1, -0.3), (0.1, -0.3), (0.1, -0.8), (1, 0), (0.1, 0.8), (0.1, 0.3), (-1, 0.3)],
        "square": [(-1, -1), (1, -1), (1, 1), (-1, 1)],
        "cross": [(1, 0.3), (0.3, 0.3), (0.3, 1), (-0.3, 1), (-0.3, 0.3), (-1, 0.3)],
        "disc": [(math.cos(a), math.sin(a)) for a in np.linspace(0, 2 * math.pi, 48, endpoint=False)],
        "triangle": [(math.cos(a), math.sin(a)) for a in np.linspace(0, 2 * math.pi, 3, endpoint=False)],
        "star": [
            ((1, 0.42)[i % 2] * math.cos(a), (1, 0.42)[i % 2] * math.sin(a))
            for i, a in enumerate(np.linspace(0, 2 * math.pi, 10, endpoint=False))
        ],
    }
    points = np.array(corners[name])
    if name == "cross":
        points = np.concatenate([points, -points])
    cosine, sine = math.cos(turn), math.sin(turn)
    turned: npt.NDArray[np.float64] = points @ np.array([[cosine, sine], [-sine, cosine]])
    return turned


def _area(points: npt.NDArray[np.float64]) -> float:
    """Return the area of a polygon, by Gauss's formula."""
    x, y = points.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw a set; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=Path, metavar="OUT")
    for name in ("background", "position", "size"):
        parser.add_argument(
            f"--{name}", type=float, default=0.95, help="probability of the class's own (%(default)s)"
        )
    parser.add_argument("--train", type=int, default=200, help="images of each class (%(default)s)")
    parser.add_argument("--val", type=int, default=100, help="images of each class (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    planted = Planted(background=chosen.background, position=chosen.position, size=chosen.size)
    draw_set(chosen.out, planted, {"train": chosen.train, "val": chosen.val}, chosen.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
