"""A small set laid out like CUB-200-2011, all of whose files are made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

NAMES = (
    "001.Black_footed_Albatross/Black_Footed_Albatross_0046_18",
    "001.Black_footed_Albatross/Black_Footed_Albatross_0009 34",  # with a space
    "036.Northern_Flicker/Northern_Flicker_0124_28966",
    "036.Northern_Flicker/Northern_Flicker_0050_28400",
)
"""Class folder and stem of each image; the last one of each class is a test image."""

TESTS = (1, 3)


def cub(root: Path, *, archives: bool = False) -> Path:
    """Write the set into a folder; return that of the images.

    Args:
        root: the folder.
        archives: whether the masks lie beside the images' folder, as the two archives unpack.
    """
    inside = root / "CUB_200_2011" if archives else root
    for folder in ("attributes", "parts"):
        (inside / folder).mkdir(parents=True)
    (inside / "attributes" / "certainties.txt").write_text("1 not visible\n")
    (inside / "classes.txt").write_text("1 001.Black_footed_Albatross\n36 036.Northern_Flicker\n")
    for number, name in enumerate(NAMES):
        image, mask = bird(number)
        for path in (inside / "images" / name, root / "segmentations" / name):
            path.parent.mkdir(parents=True, exist_ok=True)
        image.save(inside / "images" / f"{name}.jpg", quality=95)
        mask.save(root / "segmentations" / f"{name}.png")
    lists = {
        "images": [f"{name}.jpg" for name in NAMES],
        "train_test_split": [int(number not in TESTS) for number in range(len(NAMES))],
    }
    for file, values in lists.items():
        lines = (f"{number} {value}\n" for number, value in enumerate(values, 1))
        (inside / f"{file}.txt").write_text("".join(lines))
    return inside


def bird(number: int) -> tuple[Image.Image, Image.Image]:
    """Return an image with a disc in it, the first one grey, and its mask, whose edge is of greys."""
    width, height = 96, 64 + 8 * number
    y, x = np.mgrid[:height, :width]
    inside = 20 - np.hypot(x - 48, y - height / 2)  # pixels from the edge
    noise = np.random.default_rng(number).integers(-9, 10, (height, width, 1))
    colours = np.where(inside[..., None] > 0, (230, 190, 30), (40, 70, 30 * number)) + noise
    image = Image.fromarray(colours.clip(0, 255).astype(np.uint8))
    levels = np.select([inside > 1, inside > 0, inside > -1], [255, 204, 51], 0)
    return image if number else image.convert("L"), Image.fromarray(levels.astype(np.uint8))
