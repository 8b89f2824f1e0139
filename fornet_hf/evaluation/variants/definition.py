"""Pixels of the variants, as Xiao et al. made them: nearest neighbours, hard edges, tiles. Nothing is drawn here.

The rules are those of the paper (arXiv 2006.09994, Table 1 and Appendix A) and of its authors' code, quirks included:

- both corners of a box belong to it;
- the tile is the strip beside the box with the largest area, left or right of it only if that is larger than those
  above and below, and of two strips of one width the right or lower one; right and lower strips begin at the box's
  last column or row;
- in mixed images black pixels of the object show the background.

Images are uint8, height x width x 3; masks are bool, height x width.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from fornet_hf.errors import ConfigurationError, EmptyMaskError
from fornet_hf.format.masks import Mask, bounding_box

Pixels = npt.NDArray[np.uint8]

EDGE = 256  # of the shorter side after resizing
SHOWN = 224  # side of the square that a classifier sees


class Corners(NamedTuple):
    """A box whose corners belong to it, pixels; they may lie outside of the image."""

    xmin: int
    ymin: int
    xmax: int
    ymax: int

    @classmethod
    def around(cls, mask: Mask) -> Corners | None:
        """Return the tight box of a mask; None if that is empty."""
        try:
            x0, y0, x1, y1 = bounding_box(mask)
        except EmptyMaskError:
            return None
        return cls(x0, y0, x1 - 1, y1 - 1)

    def mask(self, height: int, width: int) -> Mask:
        """Return the pixels of an image that belong to it."""
        inside = np.zeros((height, width), np.bool_)
        inside[max(self.ymin, 0) : max(self.ymax + 1, 0), max(self.xmin, 0) : max(self.xmax + 1, 0)] = True
        return inside


def resized(pixels: Pixels | Mask, edge: int = EDGE) -> npt.NDArray[np.uint8]:
    """Return an image or a mask (0 and 1) with a shorter side of `edge`: the nearest pixels.

    The longer side is rounded down, as by torchvision's Resize.
    """
    height, width = pixels.shape[:2]
    shorter = min(height, width)
    size = [edge if side == shorter else int(edge * side / shorter) for side in (width, height)]
    image = Image.fromarray(pixels.view(np.uint8) if pixels.dtype == np.bool_ else pixels)
    return np.asarray(image.resize((size[0], size[1]), Image.Resampling.NEAREST))


def cropped(pixels: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    """Return the square in the middle, rounded as by torchvision's CenterCrop."""
    height, width = pixels.shape[:2]
    top, left = round((height - side) / 2), round((width - side) / 2)
    return pixels[top : top + side, left : left + side]


def only_bg_b(image: Pixels, box: Corners) -> Pixels:
    """Return the image with a black box."""
    return np.where(box.mask(*image.shape[:2])[..., None], np.uint8(0), image)


def only_bg_t(image: Pixels, box: Corners) -> Pixels:
    """Return the image with tiles of its background in the box.

    Raises:
        ConfigurationError: the box leaves no strip of background.
    """
    strip = tile(image, box)
    result: Pixels = image.copy()
    rows = np.arange(max(box.ymin, 0), min(box.ymax + 1, image.shape[0]))
    columns = np.arange(max(box.xmin, 0), min(box.xmax + 1, image.shape[1]))
    result[rows[:, None], columns] = strip[rows[:, None] % strip.shape[0], columns % strip.shape[1]]
    return result


def tile(image: Pixels, box: Corners) -> Pixels:
    """Return the strip beside the box whose repetitions fill it.

    Raises:
        ConfigurationError: there is none.
    """
    height, width = image.shape[:2]
    left, right, above, below = box.xmin, width - box.xmax, box.ymin, height - box.ymax
    if max(max(left, right) * height, max(above, below) * width) <= 0:
        raise ConfigurationError("the box leaves no strip of background")
    if max(left, right) * height > max(above, below) * width:
        return image[:, : box.xmin] if left > right else image[:, box.xmax :]
    return image[: box.ymin] if above > below else image[box.ymax :]


def only_fg(image: Pixels, mask: Mask) -> Pixels:
    """Return the object on black."""
    shown: Pixels = image * mask[..., None]
    return shown


def no_fg(image: Pixels, mask: Mask) -> Pixels:
    """Return the image with a black silhouette."""
    shown: Pixels = image * ~mask[..., None]
    return shown


def mixed(foreground: Pixels, background: Pixels, edge: int = EDGE) -> Pixels:
    """Return the object of an `only_fg` image on the `only_bg_t` image of another: a square of side `edge`.

    The background shows wherever the resized `only_fg` image is black, also inside of the object.
    """
    above, below = (cropped(resized(one, edge), edge) for one in (foreground, background))
    black = (above[..., 0] | above[..., 1] | above[..., 2]) == 0
    return np.where(black[..., None], below, above)
