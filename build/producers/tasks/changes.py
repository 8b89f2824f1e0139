"""Changes of a background against its image, and what they say of where the foreground was."""

from __future__ import annotations

import contextlib
import io

import numpy as np
from PIL import Image, JpegImagePlugin

from fornet_hf.format.masks import Box
from producers.scene import Raster

_VISIBLE = 8  # levels; compressing twice by the same settings changes pixels by 1 or 2
_LOUD = 64  # levels, from which on a larger difference says no more
_FEWEST = 20  # pixels
_STRAY = 0.01  # share of the differences that may lie outside of the box, at each of its sides


def changed_box(image: Image.Image, background: Image.Image, file: bytes) -> Box | None:
    """Return the box around what was changed in an image to make a background; None if hardly anything was.

    Args:
        image: RGB.
        background: RGB, of the same size.
        file: which the background was decoded from. If it is a JPEG, the image is compressed alike before they
            are compared.
    """
    before = _compressed_like(file, image)
    differences = np.abs(np.asarray(background, np.int16) - before).max(axis=2)
    if np.count_nonzero(differences >= _VISIBLE) < _FEWEST:
        return None
    differences[differences < _VISIBLE] = 0
    weights = np.minimum(differences, _LOUD).astype(np.float64) ** 2
    (x0, x1), (y0, y1) = _middle(weights.sum(axis=0)), _middle(weights.sum(axis=1))
    return x0, y0, x1, y1


def covering(changed: Box, thing: Box, reach: int) -> Box | None:
    """Return the offsets at which a thing, with its surroundings, covers what was changed; None if there are none.

    Args:
        changed: what is to be covered, on the image.
        thing: the box around the object in the cut-out.
        reach: of the surroundings, pixels.

    Returns:
        x0, y0, x1, y1 of possible offsets of the cut-out's corner; x1 and y1 excluded.
    """
    x0, y0 = (changed[2 + axis] - reach - thing[2 + axis] for axis in (0, 1))
    x1, y1 = (changed[axis] + reach - thing[axis] + 1 for axis in (0, 1))
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _compressed_like(file: bytes, image: Image.Image) -> Raster:
    """Compress an image with the settings of a JPEG file, if it is one and can be imitated; return its pixels."""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(file)) as other:
        if not isinstance(other, JpegImagePlugin.JpegImageFile) or other.mode != "RGB":
            return np.asarray(image)
        settings = {"qtables": other.quantization, "subsampling": JpegImagePlugin.get_sampling(other)}
    with contextlib.suppress(OSError, ValueError):
        image.save(buffer, "JPEG", **settings)
        with Image.open(buffer) as again:
            return np.asarray(again.convert("RGB"))
    return np.asarray(image)


def _middle(weights: np.ndarray) -> tuple[int, int]:
    """Return the range that holds all of the weight but a stray share on both sides."""
    shares = np.cumsum(weights) / weights.sum()
    return int(np.searchsorted(shares, _STRAY)), int(np.searchsorted(shares, 1 - _STRAY)) + 1
