"""OpenCV, which only the stages that need it import, and what several of them do with it."""

from __future__ import annotations

import contextlib
from types import ModuleType

import numpy as np
import numpy.typing as npt

from fornet_hf.errors import MissingDependencyError
from fornet_hf.format.masks import Mask


def load_cv2() -> ModuleType:
    """Return the module `cv2`.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import cv2  # heavy, and only some stages need it
    except ImportError as error:
        raise MissingDependencyError(
            f"this stage needs OpenCV ({error}). Install it: pip install opencv-python-headless"
        ) from error
    module: ModuleType = cv2
    return module


def one_thread() -> None:
    """Keep OpenCV to one thread in a process: where processes work in parallel, its threads only take turns."""
    with contextlib.suppress(MissingDependencyError):
        load_cv2().setNumThreads(1)


def largest_filled(mask: Mask) -> Mask:
    """Return the part of the mask with the largest outer contour, its holes filled. Empty stays empty.

    Contours are compared by the area which they enclose, as the public pipeline does, so a ring wins over a
    smaller disc with more pixels. A line or a point encloses no area and still counts when it is all there is.
    """
    cv2 = load_cv2()
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(mask.shape, np.uint8)
    if contours:
        cv2.drawContours(filled, [max(contours, key=cv2.contourArea)], -1, color=1, thickness=cv2.FILLED)
    return filled.astype(np.bool_)


def filled(mask: Mask) -> Mask:
    """Return the mask with the holes in all its parts filled."""
    cv2 = load_cv2()
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    result = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(result, contours, -1, color=1, thickness=cv2.FILLED)
    return result.astype(np.bool_)


def closed(mask: Mask, radius: int) -> Mask:
    """Return the mask without gaps into which no disc of this radius in pixels fits; the image's edge is no gap."""
    if radius == 0:
        return mask
    cv2 = load_cv2()
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    wide = np.pad(mask.astype(np.uint8), radius, mode="edge")
    found = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, disc)[radius:-radius, radius:-radius]
    return np.asarray(found, np.bool_)


def dilated(mask: Mask, radius: int) -> Mask:
    """Return True within `radius` pixels (in x and in y: a square) of a true pixel.

    It is what `fornet_hf.format.masks.dilate` returns, which works without OpenCV, in a tenth of its time.
    """
    square = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    return np.asarray(load_cv2().dilate(np.ascontiguousarray(mask).view(np.uint8), square)).view(np.bool_)


def fade(hole: Mask, width: int) -> npt.NDArray[np.float32]:
    """Return weights, float32: 0 outside of the hole, rising to 1 at `width` pixels inside of it."""
    cv2 = load_cv2()
    depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3)
    weight: npt.NDArray[np.float32] = (depth / (width + 1)).clip(0, 1)
    return weight


def blended(raster: npt.NDArray[np.uint8], filling: np.ndarray, hole: Mask, width: int) -> npt.NDArray[np.uint8]:
    """Return an image with a filling in its hole, both height x width x 3, 0 to 255; outside nothing changes.

    Args:
        raster: the image.
        filling: finite values of any type; what lies beyond 0 and 255 is cut off.
        hole: where it goes.
        width: pixels inside of the hole over which the image fades into the filling.
    """
    weight = fade(hole, width)[..., None]
    result: npt.NDArray[np.uint8] = (raster * (1 - weight) + filling * weight).round().clip(0, 255).astype(np.uint8)
    return result


def largest(mask: Mask) -> Mask:
    """Return the part of a mask that has most pixels; parts hang together by sides and corners."""
    cv2 = load_cv2()
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return mask if count <= 2 else np.asarray(labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax())
