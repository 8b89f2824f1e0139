"""A segmenter without weights: GrabCut, started from a box or a point.

It learns the colours in the box and around it and cuts where they part best, so it does well where an
object's colours are not those of its surroundings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fornet_hf.arguments import require
from fornet_hf.format.masks import Box, Mask
from producers.devices.opencv import largest_filled, load_cv2
from producers.scene import Identity, Point, Raster

_COMPONENTS = 5  # Gaussians in each of GrabCut's colour models; each needs a pixel
_SEED = 0  # GrabCut starts its models by k-means with OpenCV's generator


@dataclass(frozen=True)
class GrabCut:
    """OpenCV's GrabCut on the box and its surroundings; deterministic.

    Attributes:
        margin: how much of the surroundings is looked at / longer side of the box. Farther colours only
            mislead the background's model.
        working_side: longer side in pixels to which that window is shrunk: five times as fast as 512, and
            the edge comes out smoother.
        iterations: of GrabCut.
        smoothing: sigma in pixels by which the edge is smoothed.
    """

    margin: float = 0.25
    working_side: int = 256
    iterations: int = 5
    smoothing: float = 2.5

    def __post_init__(self) -> None:
        for name in ("working_side", "iterations"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "1 or more")
        for name in ("margin", "smoothing"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "0 or more")

    @property
    def identity(self) -> Identity:
        """The model, as the manifest names it."""
        settings = tuple(sorted(vars(self).items()))
        return Identity(name="grabcut", model="opencv", revision=load_cv2().__version__, settings=settings)

    def segment(self, rasters: Sequence[Raster], boxes: Sequence[Sequence[Box]]) -> list[list[Mask]]:
        """Return the largest connected object in each box, without holes."""
        return [[self._cut(raster, box) for box in found] for raster, found in zip(rasters, boxes, strict=True)]

    def segment_points(self, rasters: Sequence[Raster], points: Sequence[Sequence[Point]]) -> list[list[Mask]]:
        """Return the largest connected object in each image; a small disc around a point is certain to be of it."""
        return [
            [self._cut_window(raster, (0, 0, raster.shape[1], raster.shape[0]), point) for point in found]
            for raster, found in zip(rasters, points, strict=True)
        ]

    def _cut(self, raster: Raster, box: Box) -> Mask:
        left, top, right, bottom = _window(box, raster, self.margin)
        window = raster[top:bottom, left:right]
        inner = (box[0] - left, box[1] - top, box[2] - left, box[3] - top)
        mask = np.zeros(raster.shape[:2], np.bool_)
        mask[top:bottom, left:right] = self._cut_window(window, inner)
        return mask

    def _cut_window(self, window: Raster, box: Box, point: Point | None = None) -> Mask:
        cv2 = load_cv2()
        height, width = window.shape[:2]
        scale = min(1.0, self.working_side / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = np.ascontiguousarray(cv2.resize(window, size, interpolation=cv2.INTER_AREA))
        seed = None if point is None else _disc(small, (round(point[0] * scale), round(point[1] * scale)))
        coarse = _grabcut(small, _scaled(box, scale, size), self.iterations, seed)
        smooth = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
        if self.smoothing > 0:
            smooth = cv2.GaussianBlur(smooth, (0, 0), self.smoothing)
        return largest_filled(smooth > 0.5)


def _window(box: Box, raster: Raster, margin: float) -> Box:
    height, width = raster.shape[:2]
    extra = max(1, round(margin * max(box[2] - box[0], box[3] - box[1])))
    return max(0, box[0] - extra), max(0, box[1] - extra), min(width, box[2] + extra), min(height, box[3] + extra)


def _scaled(box: Box, scale: float, size: tuple[int, int]) -> Box:
    x0, y0 = (min(round(value * scale), side - 1) for value, side in zip(box[:2], size, strict=True))
    return x0, y0, max(round(box[2] * scale), x0 + 1), max(round(box[3] * scale), y0 + 1)


def _disc(raster: Raster, point: Point) -> Mask:
    """Return the pixels that are nearer to a point than a fortieth of the longer side, and the point's own."""
    y, x = np.ogrid[: raster.shape[0], : raster.shape[1]]
    near: Mask = np.hypot(x - point[0], y - point[1]) <= max(2.0, max(raster.shape[:2]) / 40)
    return near


def _grabcut(raster: Raster, box: Box, iterations: int, seed: Mask | None = None) -> Mask:
    """Return GrabCut's own answer; the box itself where there are too few pixels to learn two colour models from."""
    cv2 = load_cv2()
    inside = np.zeros(raster.shape[:2], np.bool_)
    inside[box[1] : box[3], box[0] : box[2]] = True
    if inside.all():  # the box is the image: its frame has to do as background
        inside[[0, -1]] = inside[:, [0, -1]] = False
    if min(np.count_nonzero(inside), np.count_nonzero(~inside)) < _COMPONENTS:
        inside[box[1] : box[3], box[0] : box[2]] = True
        return inside
    if seed is not None and np.count_nonzero(~seed) < _COMPONENTS:
        return seed
    state = np.where(inside, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    if seed is not None:
        state[seed] = cv2.GC_FGD
    models = np.zeros((1, 13 * _COMPONENTS)), np.zeros((1, 13 * _COMPONENTS))
    cv2.setRNGSeed(_SEED)
    cv2.grabCut(raster, state, None, *models, iterations, cv2.GC_INIT_WITH_MASK)
    answer: Mask = (state == cv2.GC_FGD) | (state == cv2.GC_PR_FGD)
    return answer
