"""An infiller without weights: OpenCV's inpainting at low resolution, made smooth and blended in.

At full size, inpainting of a large hole draws streaks; at low resolution it carries the surroundings' colours
into the hole, which looks like a background out of focus.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fornet_hf.masks import Mask
from producers.backends import Identity, Raster
from producers.opencv import load_cv2

METHODS = ("telea", "ns")


@dataclass(frozen=True)
class OpenCVInpaint:
    """Telea's or Navier-Stokes inpainting; deterministic.

    Attributes:
        method: `telea` or `ns`.
        working_side: longer side in pixels at which the hole is inpainted.
        smoothing: sigma in pixels of the low-resolution picture by which the inpainted part is blurred.
        feather: pixels inside of the hole over which the picture fades into the inpainting. They keep some of
            the original, so the hole has to reach beyond the object by this much.
    """

    method: str = "telea"
    working_side: int = 128
    smoothing: float = 3.0
    feather: int = 8

    @property
    def identity(self) -> Identity:
        """What the manifest says about it."""
        settings = tuple(sorted(vars(self).items()))
        return Identity(name="inpaint", model="opencv", revision=load_cv2().__version__, settings=settings)

    def infill(self, rasters: Sequence[Raster], holes: Sequence[Mask]) -> list[Raster]:
        """Each picture with its hole filled; where all is hole, with its mean colour."""
        return [self._fill(raster, hole) for raster, hole in zip(rasters, holes, strict=True)]

    def _fill(self, raster: Raster, hole: Mask) -> Raster:
        if not hole.any():
            return raster.copy()
        if hole.all():
            return np.full_like(raster, raster.mean((0, 1)).round())
        cv2 = load_cv2()
        height, width = hole.shape
        smooth = cv2.resize(self._fill_small(raster, hole), (width, height), interpolation=cv2.INTER_CUBIC)
        weight = _fade(hole, self.feather)[..., None]
        filled: Raster = (raster * (1 - weight) + smooth * weight).round().clip(0, 255).astype(np.uint8)
        return filled

    def _fill_small(self, raster: Raster, hole: Mask) -> npt.NDArray[np.float32]:
        """The low-resolution picture, filled: float32."""
        cv2 = load_cv2()
        height, width = hole.shape
        scale = min(1.0, self.working_side / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        known = cv2.resize((~hole).astype(np.float32), size, interpolation=cv2.INTER_AREA)
        visible = np.where(hole[..., None], 0, raster).astype(np.float32)
        # Means over visible pixels only: the object must not bleed into the low-resolution surroundings.
        mean = cv2.resize(visible, size, interpolation=cv2.INTER_AREA).reshape(*known.shape, 3)
        mean /= np.maximum(known, 1e-6)[..., None]
        if not (known > 0.5).any():
            return np.full_like(mean, raster[~hole].mean(0))
        unknown = (known <= 0.5).astype(np.uint8)
        flag = cv2.INPAINT_TELEA if self.method == "telea" else cv2.INPAINT_NS
        filled = cv2.inpaint(mean.round().clip(0, 255).astype(np.uint8), unknown, 3, flag).astype(np.float32)
        blurred = cv2.GaussianBlur(filled, (0, 0), self.smoothing)
        weight = _fade(unknown.astype(np.bool_), 3)[..., None]
        result: npt.NDArray[np.float32] = filled * (1 - weight) + blurred * weight
        return result


def _fade(hole: Mask, width: int) -> npt.NDArray[np.float32]:
    """Weights, float32: 0 outside of the hole, rising to 1 at `width` pixels inside of it."""
    cv2 = load_cv2()
    depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3)
    weight: npt.NDArray[np.float32] = (depth / (width + 1)).clip(0, 1)
    return weight
