"""Views of a version for classifiers, and the score that follows from their evidence.

A good version shows the object by itself, and nothing of it in the background.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from PIL import Image

from fornet_hf.format.encoding import Encoding
from fornet_hf.format.masks import Mask, bounding_box, decode_mask
from fornet_hf.format.patch import Patch, apply_patch
from fornet_hf.format.raster import decode_rgb

BEST_RATIO = 0.1  # of object to image
_LEAST = 1e-12  # of a probability, so that its logarithm is finite
CROP = 0.875  # of the shorter side, what is left of an image in usual evaluation
NATIVE = 224  # pixels; at least so large is the square of grey that the public tool shows objects on
VIEWS = MappingProxyType(
    {
        "filled": "the object fills the square, and of the background its middle is shown, as in evaluation",
        "public": f"as publicly: the object at its own size on at least {NATIVE} pixels, the background squashed",
    }
)
"""The kinds of views, with their meanings."""


@dataclass(frozen=True)
class View:
    """One version, in pixels for a classifier.

    Attributes:
        label: index of the true class.
        colours: uint8, side x side x 3: the object in the middle of a square; black around it.
        alpha: uint8, side x side: 255 where it is the object.
        background: uint8, side x side x 3: the infilled background, or the middle of it.
    """

    label: int
    colours: npt.NDArray[np.uint8]
    alpha: npt.NDArray[np.uint8]
    background: npt.NDArray[np.uint8]


def view(source: bytes, patch: Patch, encoding: Encoding, side: int, kind: str = "filled") -> View:
    """Return the view of what a patch makes of its image, at `side` pixels.

    Args:
        source: the image's file.
        patch: of it.
        encoding: of the patch.
        side: what classifiers want, pixels.
        kind: a name in `VIEWS`.

    Raises:
        ForNetError: the patch cannot be applied to this source.
    """
    row = apply_patch(source, patch, encoding)
    if row.foreground is None or row.mask is None or row.box is None or row.background is None:
        raise ValueError(f"{patch.key}: a candidate has both parts")
    mask = decode_mask(row.mask, (row.box[2] - row.box[0], row.box[3] - row.box[1]))
    colours, alpha = _square(np.asarray(decode_rgb(row.foreground)), mask, NATIVE if kind == "public" else 0)
    background = decode_rgb(row.background)
    return View(
        label=patch.label,
        colours=np.asarray(colours.resize((side, side), Image.Resampling.BICUBIC)),
        alpha=np.asarray(alpha.resize((side, side), Image.Resampling.BICUBIC)),
        background=np.asarray(_middle(background, side) if kind == "filled" else _squashed(background, side)),
    )


def _square(colours: npt.NDArray[np.uint8], mask: Mask, least: int) -> tuple[Image.Image, Image.Image]:
    """Return the object in a square as large as its longer side, or `least`; colours are black outside of it."""
    x0, y0, x1, y1 = bounding_box(mask)
    high, wide = y1 - y0, x1 - x0
    side = max(high, wide, least)
    top, left = (side - high) // 2, (side - wide) // 2
    pixels = np.zeros((side, side, 4), np.uint8)
    inside = mask[y0:y1, x0:x1, None]
    pixels[top : top + high, left : left + wide, :3] = colours[y0:y1, x0:x1] * inside
    pixels[top : top + high, left : left + wide, 3:] = inside * np.uint8(255)
    return Image.fromarray(pixels[..., :3]), Image.fromarray(pixels[..., 3])


def _middle(image: Image.Image, side: int) -> Image.Image:
    shorter = CROP * min(image.size)
    x, y = ((length - shorter) / 2 for length in image.size)
    return image.resize((side, side), Image.Resampling.BICUBIC, box=(x, y, x + shorter, y + shorter))


def _squashed(image: Image.Image, side: int) -> Image.Image:
    return image.resize((side, side), Image.Resampling.BICUBIC)


@dataclass(frozen=True)
class Evidence:
    """The evidence of classifiers about one version.

    Attributes:
        foreground: mean probability of the true class on the cut-out, over greys and classifiers, 0 to 1.
        background: mean probability of the true class on the infilled background, over classifiers, 0 to 1.
    """

    foreground: float
    background: float


def score(evidence: Evidence, ratio: float, version: int, versions: int) -> float:
    """Return the score of the publication; higher is better.

    Args:
        evidence: of the classifiers.
        ratio: object area / image area, 0 to 1.
        version: its number, from 0; earlier ones are more confident detections.
        versions: how many the image has.
    """
    return (
        math.log(max(evidence.foreground, _LEAST))
        + math.log(max(1 - evidence.background, _LEAST))
        + 2 * math.log(max(1 - abs(ratio - BEST_RATIO), _LEAST))
        + 0.1 * math.log(1 - version / versions)
    )


def best(scores: Sequence[float]) -> int:
    """Return the index of the highest score; of equals the first."""
    return max(range(len(scores)), key=lambda index: scores[index])
