"""The decoders of restart-coded JPEGs: simplejpeg where it is installed, else Pillow. Both give the same pixels.

simplejpeg (`pip install fornet-hf[fast]`) hands the whole file to libjpeg-turbo, where Pillow hands over and copies
line by line. What it refuses, Pillow decodes or refuses, so errors do not depend on what is installed.
"""

from __future__ import annotations

import sys

from PIL import Image

from fornet_hf.packages import optional
from fornet_hf.recombination.draw.composition import Size
from fornet_hf.recombination.pixels.scaling import ONE_BLOCK, shared_pixels


def load(data: bytes, size: Size, shrink: int) -> Image.Image:
    """Decode a restart-coded JPEG as RGB.

    Args:
        data: the file.
        size: width and height in its header: Pillow's own reading of it would take a while.
        shrink: 1, 2, 4 or 8: pixels of the file per pixel of the image.

    Raises:
        one of `DECODE_ERRORS`: it is damaged.
    """
    image = Image.new("RGB", (-(-size[0] // shrink), -(-size[1] // shrink)), None)  # decoders write every pixel
    if not _loaded_by_simplejpeg(data, image, shrink):
        image.frombytes(data, "jpeg", ("RGB", "", shrink, 0))
    return image


def _loaded_by_simplejpeg(data: bytes, image: Image.Image, shrink: int) -> bool:
    """Decode into the image's own memory; return whether that was done. Only torch can write there."""
    module, torch, (width, height) = optional("simplejpeg"), sys.modules.get("torch"), image.size
    if module is None or not hasattr(torch, "nn") or width * height > ONE_BLOCK:
        return False
    pixels = shared_pixels(torch, image)[0].numpy()
    try:
        found = module.decode_jpeg(
            data, "RGBX", min_height=height, min_width=width, min_factor=shrink, buffer=pixels, strict=True
        )
    except ValueError:  # also what it warns of
        return False
    return bool(found.shape == pixels.shape)
