"""Where in a picture a cut-out came from.

The sum of squared differences over the object's pixels, at all positions at once, is three correlations, which OpenCV
does by Fourier transform. Its sums are in float32, so the best few positions are compared again in integers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fornet_hf.errors import PatchFormatError, explain
from fornet_hf.masks import Mask, bounding_box
from producers.backends import Raster
from producers.opencv import load_cv2

_CANDIDATES = 16
_NOISE = 1e-5  # of sums in float32, relative to the largest
POOR = 24.0  # lossy WEBP of quality 75 differs by 2 to 9 levels on photographs
_SAME = 1.02  # a rival's error / the best's, below which there is nothing to choose between them


@dataclass(frozen=True)
class Match:
    """The best position of a cut-out.

    Attributes:
        offset: x, y of its upper left corner in the picture, pixels.
        error: root of the mean squared difference over the object's pixels, levels from 0 to 255.
        rival: the same at the best position that is further than 2 pixels away; infinite if there is none.
    """

    offset: tuple[int, int]
    error: float
    rival: float

    def fault(self) -> str | None:
        """Why this position is not to be trusted, if so."""
        if self.error > POOR:
            return f"the best position differs by {self.error:.1f} levels; allowed: {POOR}"
        if self.rival <= self.error * _SAME:
            return f"two positions fit alike, by {self.error:.1f} and {self.rival:.1f} levels"
        return None


def find_offset(picture: Raster, colours: Raster, mask: Mask) -> Match:
    """The position in a picture at which the object's pixels differ least.

    Args:
        picture: uint8, height x width x 3.
        colours: uint8, h x w x 3, not larger than the picture.
        mask: bool, h x w: the object's pixels; colours elsewhere do not matter.

    Raises:
        EmptyMaskError: the mask has no true pixel.
        PatchFormatError: the cut-out is larger than the picture.
    """
    x0, y0, x1, y1 = bounding_box(mask)  # transparent margins would only cost time
    height, width = picture.shape[0] - mask.shape[0], picture.shape[1] - mask.shape[1]
    if min(height, width) < 0:
        found = f"{mask.shape[1]} x {mask.shape[0]}"
        allowed = f"at most {picture.shape[1]} x {picture.shape[0]}"
        raise PatchFormatError(explain("the foreground is larger than its picture", found=found, allowed=allowed))
    window = picture[y0 : y1 + height, x0 : x1 + width]
    colours, mask = colours[y0:y1, x0:x1], mask[y0:y1, x0:x1]
    differences = _differences(window, colours, mask)
    wanted = colours[mask].astype(np.int32)
    close = _closest(differences)
    best = min(close, key=lambda place: _exact(window, wanted, mask, place))
    rivals = differences.copy()
    rivals[max(0, best[0] - 2) : best[0] + 3, max(0, best[1] - 2) : best[1] + 3] = np.inf
    rival = np.unravel_index(rivals.argmin(), rivals.shape)
    return Match(
        offset=(best[1], best[0]),
        error=_level(_exact(window, wanted, mask, best), wanted),
        rival=_level(_exact(window, wanted, mask, rival), wanted) if np.isfinite(rivals[rival]) else float("inf"),
    )


def _level(total: int, wanted: np.ndarray) -> float:
    return float(np.sqrt(total / wanted.size))


def _differences(window: Raster, colours: Raster, mask: Mask) -> np.ndarray:
    """Sums of squared differences of brightness, without what is the same everywhere: float32, a row for each y."""
    cv2 = load_cv2()
    # Brightness alone takes a third of the time. Around zero, float32 keeps more of the digits.
    level = float(colours.mean())
    scene = cv2.cvtColor(np.ascontiguousarray(window), cv2.COLOR_RGB2GRAY).astype(np.float32) - level
    cut = cv2.cvtColor(np.ascontiguousarray(colours), cv2.COLOR_RGB2GRAY).astype(np.float32) - level
    seen = mask.astype(np.float32)
    energy = cv2.matchTemplate(scene * scene, seen, cv2.TM_CCORR)
    common = cv2.matchTemplate(scene, cut * seen, cv2.TM_CCORR)
    result: np.ndarray = energy - 2 * common
    return result


def _closest(differences: np.ndarray) -> list[tuple[int, int]]:
    """The positions that float32 cannot tell from the best: rows and columns."""
    lowest = float(differences.min())
    rows, columns = np.nonzero(differences <= lowest + _NOISE * float(np.abs(differences).max()))
    nearest = np.argsort(differences[rows, columns], kind="stable")[:_CANDIDATES]
    return [(int(rows[index]), int(columns[index])) for index in nearest]


def _exact(window: Raster, wanted: np.ndarray, mask: Mask, place: tuple[int, int]) -> int:
    """The sum of squared differences of all colours."""
    y, x = place
    difference = window[y : y + mask.shape[0], x : x + mask.shape[1]][mask] - wanted
    return int(np.sum(difference * difference, dtype=np.int64))
