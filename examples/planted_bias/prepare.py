"""A set that was drawn, taken apart by the product's own command and loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import fornet_hf
from fornet_hf.arguments import positive
from fornet_hf.errors import ConfigurationError, ForNetError, explain
from fornet_hf.files import write_text
from planted_bias.draw import Planted, draw_set

_MAKE = Path(__file__).parents[2] / "build" / "create_patches.py"


def prepare(folder: Path, planted: Planted, counts: dict[str, int]) -> Any:
    """Draw a set, make patches of it, apply them; return both splits.

    `folder` gets set/ with the images, made/patches/ and cache/; what is there is not made again.

    Raises:
        ConfigurationError: counts below 1, or other images are there.
        ForNetError: no patches could be made of them.
    """
    for split, count in counts.items():
        positive(split, count)
    images, made = folder / "set", folder / "made"
    _note(folder / "set.json", {**asdict(planted), **counts})
    if not (images / "boxes.json").is_file():
        draw_set(images, planted, counts)
    words = [str(images), str(made), "--boxes", str(images / "boxes.json"), "--dilation", "10"]
    if subprocess.run([sys.executable, _MAKE, *words], check=False).returncode:  # noqa: S603
        raise ForNetError(explain(f"no patches could be made of {images}", then="The message above says why."))
    return fornet_hf.load_dataset(patches=made / "patches", imagenet_dir=images, cache_dir=folder / "cache")


def _note(path: Path, now: Mapping[str, float]) -> None:
    """Note how images are drawn; raise a ConfigurationError if those that are there were drawn otherwise."""
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else now
    if before != now:
        what, then = f"{path.parent} has other images", "Name another OUT, or delete this one."
        raise ConfigurationError(explain(what, found=before, allowed=now, then=then))
    write_text(path, json.dumps(now) + "\n")
