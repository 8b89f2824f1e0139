"""The decoders of restart-coded JPEGs: simplejpeg where it is installed, else Pillow. Both give the same pixels.

simplejpeg (`pip install fornet-hf[fast]`) hands the whole file to libjpeg-turbo, where Pillow hands over and copies
line by line. What it refuses, Pillow decodes or refuses, so errors do not depend on what is installed.
"""

from __future__ import annotations

import numpy as np

from fornet_hf.packages import optional
from fornet_hf.recombination.draw.composition import Size
from fornet_hf.recombination.pixels.quads import Quads, image_of


def load(data: bytes, size: Size, shrink: int) -> Quads:
    """Decode a restart-coded JPEG.

    Args:
        data: the file.
        size: width and height in its header: Pillow's own reading of it would take a while.
        shrink: 1, 2, 4 or 8: pixels of the file per pixel of the image.

    Raises:
        one of `DECODE_ERRORS`: it is damaged.
    """
    quads = np.empty((-(-size[1] // shrink), -(-size[0] // shrink), 4), np.uint8)  # decoders write every pixel
    if not _loaded_by_simplejpeg(data, quads, shrink):
        image_of(quads).frombytes(data, "jpeg", ("RGB", "", shrink, 0))
    return quads


def _loaded_by_simplejpeg(data: bytes, quads: Quads, shrink: int) -> bool:
    """Decode into `quads`; return whether that was done."""
    module, (height, width, _) = optional("simplejpeg"), quads.shape
    if module is None:
        return False
    try:
        found = module.decode_jpeg(
            data, "RGBX", min_height=height, min_width=width, min_factor=shrink, buffer=quads, strict=True
        )
    except ValueError:  # also what it warns of
        return False
    return bool(found.shape == quads.shape)
