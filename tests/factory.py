"""Small prepared rows, made from scikit-image's photos the way a release is made."""

from __future__ import annotations

import functools
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from fornet_hf.format.encoding import Encoding
from fornet_hf.format.patch import apply_patch, make_patch
from fornet_hf.format.rows import Row

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
# Centre and half axes of the object, as shares of width and height.
OBJECTS = ((0.45, 0.4, 0.25, 0.35), (0.5, 0.5, 0.2, 0.2), (0.3, 0.6, 0.12, 0.3), (0.62, 0.35, 0.3, 0.12))


@functools.cache
def photo(name: str, max_side: int) -> Image.Image:
    data = pytest.importorskip("skimage.data")
    image = Image.fromarray(getattr(data, name)()[..., :3])
    image.thumbnail((max_side, max_side))
    return image


def ellipse(size: tuple[int, int], shares: tuple[float, float, float, float]) -> np.ndarray:
    width, height = size
    y, x = np.mgrid[:height, :width]
    centre_x, centre_y, half_x, half_y = shares
    return ((x / width - centre_x) / half_x) ** 2 + ((y / height - centre_y) / half_y) ** 2 <= 1


def source_bytes(name: str, max_side: int = 192) -> bytes:
    buffer = io.BytesIO()
    photo(name, max_side).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


@functools.cache
def make_row(index: int, max_side: int = 192) -> Row:
    """Row `index`: photo `index % 4`, object `index % 4` mirrored for odd rounds, label `index % 4 % 3`."""
    which = index % len(PHOTOS)
    image = photo(PHOTOS[which], max_side)
    x, y, a, b = OBJECTS[which]
    shrink = 0.8 ** (index // len(PHOTOS))
    mask = ellipse(image.size, (x, y, a * shrink, b * shrink))
    infilled = np.asarray(image.filter(ImageFilter.GaussianBlur(12)))
    source = source_bytes(PHOTOS[which], max_side)
    encoding = Encoding(max_side=512, dilation=8)
    patch = make_patch(source, mask, infilled, key=f"n{which:08d}_{index}", label=which % 3, encoding=encoding)
    return apply_patch(source, patch, encoding)


def columns(row: Row) -> dict[str, Any]:
    """A row as the dataset holds it."""
    values = {name: getattr(row, name) for name in ("key", "label", "foreground_ratio")}
    values["box"] = None if row.box is None else list(row.box)
    for name in ("foreground", "mask", "background"):
        data = getattr(row, name)
        values[name] = None if data is None else {"bytes": data, "path": None}
    return values
