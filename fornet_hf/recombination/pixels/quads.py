"""Pixels of 4 bytes in one block of memory, as Pillow, torch, OpenCV and the decoders all see them in place.

Nothing is copied from one to the other, nor is memory filled before it is decoded into.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from PIL import Image

Quads = npt.NDArray[np.uint8]
"""height x width x 4: red, green, blue, and a byte which nobody sees, or that of an object's mask."""

ONE_BLOCK = 2**21  # pixels; Pillow splits the memory of images of 16 MiB and more


def quads_of(image: Image.Image) -> Quads:
    """Return the pixels of an RGB, RGBX or RGBA image, to be read: in place, unless Pillow has split them.

    Not of one that `image_of` made: Pillow 11 crashes there. A copy of it will do.
    """
    if image.width * image.height > ONE_BLOCK:
        return np.asarray(image if image.mode != "RGB" else image.convert("RGBA"))
    values: Quads = pa.array(image).values.to_numpy()
    return values.reshape(image.height, image.width, 4)


def image_of(quads: Quads, mode: str = "RGB") -> Image.Image:
    """Return an image of these pixels, in place if they are contiguous. Pillow lets nobody write to it.

    Args:
        quads: 1 x 1 x 4 or more.
        mode: "RGB"; or "RGBX", whose fourth byte Pillow scales like the others.
    """
    height, width = quads.shape[:2]
    return Image.fromarrow(pa.array(np.ascontiguousarray(quads).reshape(-1)), mode, (width, height))


def fourth(quads: Quads) -> npt.NDArray[np.uint8]:
    """Return the fourth bytes, height x width: shifting whole pixels is many times as fast as gathering bytes."""
    return (quads.view("<u4")[..., 0] >> 24).astype(np.uint8)
