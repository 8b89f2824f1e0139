"""One object on one background, as the sliders say, by the library's own recipe and pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import fornet_hf
from fornet_hf.arguments import is_number, require
from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.format.rows import open_image
from fornet_hf.recombination import compose
from fornet_hf.recombination.pixels.compositing import Composed
from fornet_hf.recombination.pixels.parts import Parts

LARGEST = 512  # pixels of the longer side, as in the patch format


@dataclass(frozen=True, kw_only=True)
class View:
    """Manner in which an object is shown.

    Attributes:
        size: area of the object / area of the background, 0.01 to 1.
        x: of the middle of the object, 0 (left edge of the background) to 1 (right edge).
        y: likewise, 0 (upper edge) to 1.
        feather: standard deviation of the blur that softens the object's edge, pixels, 0 to 20.
        crop: area of the part that is shown, around the middle / area of the background, 0.1 to 1.

    Raises:
        ConfigurationError: a value is not allowed.
    """

    size: float = 0.2
    x: float = 0.5
    y: float = 0.6
    feather: float = 2.0
    crop: float = 1.0

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            require(is_number(value) and low <= value <= high, name, value, f"a number from {low:g} to {high:g}")


LIMITS = {"size": (0.01, 1.0), "x": (0.0, 1.0), "y": (0.0, 1.0), "feather": (0.0, 20.0), "crop": (0.1, 1.0)}


def composed(row: Mapping[str, Any], background: Any, view: View) -> Composed:
    """Return the composition (RGB) and the mask of what was pasted (L), both of the background's size.

    Args:
        row: whose object is shown.
        background: an image, or what the column `background` of a row holds.
        view: how it is shown.

    Raises:
        ConfigurationError: the row has no object.
    """
    canvas = open_image(background).convert("RGB")
    canvas.thumbnail((LARGEST, LARGEST))
    return compose(row, canvas, recipe(row, canvas.size, view))


def recipe(row: Mapping[str, Any], canvas: tuple[int, int], view: View) -> fornet_hf.Composition:
    """Return the numbers that `Recombine` would draw, on a canvas of this width and height in pixels."""
    cutout = Parts.of(row).cutout
    if cutout is None:
        raise ConfigurationError(explain("this row has no object", found=row["key"], then="Choose another one."))
    shape = cutout.shape
    scale = math.sqrt(view.size * canvas[0] * canvas[1] / (shape.coverage * shape.width * shape.height))
    size = max(1, round(scale * shape.width)), max(1, round(scale * shape.height))
    part = math.sqrt(view.crop)
    window = tuple(edge * side for edge in ((1 - part) / 2, (1 + part) / 2) for side in canvas)
    return fornet_hf.Composition(
        original=False,
        background=None,
        background_box=(window[0], window[1], window[2], window[3]),
        canvas=canvas,
        window=(window[0], window[1], window[2], window[3]),
        output=canvas,
        size=size,
        part=(0, 0, *size),
        offset=(round(view.x * canvas[0] - size[0] / 2), round(view.y * canvas[1] - size[1] / 2)),
        sigma=view.feather,
    )
