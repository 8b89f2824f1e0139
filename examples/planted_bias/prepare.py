"""A set that was drawn, taken apart by the product's own command and loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import fornet_hf
from planted_bias.draw import Planted, draw_set

_MAKE = Path(__file__).parents[2] / "build" / "create_patches.py"


def prepare(folder: Path, planted: Planted, counts: dict[str, int]) -> Any:
    """Draw a set, make patches of it, apply them; return both splits.

    `folder` gets set/ with the images, made/patches/ and cache/; what is there is not made again.
    """
    images, made = folder / "set", folder / "made"
    if not (images / "boxes.json").is_file():
        draw_set(images, planted, counts)
    words = [str(images), str(made), "--boxes", str(images / "boxes.json"), "--dilation", "10"]
    subprocess.run([sys.executable, _MAKE, *words], check=True)  # noqa: S603
    return fornet_hf.load_dataset(patches=made / "patches", imagenet_dir=images, cache_dir=folder / "cache")
