"""An infiller without weights: OpenCV's inpainting at low resolution, made smooth and blended in.

At full size, inpainting of a large hole draws streaks; at several low resolutions it carries the surroundings'
colours into the hole, which looks like a background out of focus.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fornet_hf.arguments import require
from fornet_hf.format.masks import Mask
from producers.devices.opencv import blended, fade, load_cv2
from producers.scene import Identity, Raster

METHODS = ("telea", "ns")
_COARSEST = 16  # side in pixels of the smallest image that is filled
_RIM = 4  # pixels over which inpainting fades into what a coarser image gives
Pixels = npt.NDArray[np.float32]


@dataclass(frozen=True)
class OpenCVInpaint:
    """Telea's or Navier-Stokes inpainting; deterministic.

    Attributes:
        method: `telea` or `ns`.
        working_side: longer side in pixels at which the hole is inpainted.
        feather: pixels inside of the hole over which the image fades into the inpainting. They keep some of
            the original, so the hole has to reach beyond the object by this much.
    """

    method: str = "telea"
    working_side: int = 128
    feather: int = 8

    def __post_init__(self) -> None:
        require(self.method in METHODS, "method", self.method, " or ".join(METHODS))
        require(self.working_side >= 1, "working_side", self.working_side, "1 or more")
        require(self.feather >= 0, "feather", self.feather, "0 or more")

    @property
    def identity(self) -> Identity:
        """The model, as the manifest names it."""
        settings = tuple(sorted(vars(self).items()))
        return Identity(name="inpaint", model="opencv", revision=load_cv2().__version__, settings=settings)

    def infill(self, rasters: Sequence[Raster], holes: Sequence[Mask]) -> list[Raster]:
        """Return each image with its hole filled; where all is hole, with its mean colour."""
        return [self._fill(raster, hole) for raster, hole in zip(rasters, holes, strict=True)]

    def _fill(self, raster: Raster, hole: Mask) -> Raster:
        if not hole.any():
            return np.array(raster)
        if hole.all():
            plain: Raster = np.empty_like(raster)
            plain[:] = raster.mean((0, 1)).round()
            return plain
        cv2 = load_cv2()
        height, width = hole.shape
        small, known = _shrunk(raster, hole, self.working_side)
        filled = self._fill_level(small, known)
        smooth = cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC).reshape(raster.shape)
        return blended(raster, smooth, hole, self.feather)

    def _fill_level(self, small: Pixels, known: Pixels) -> Pixels:
        """Return a low-resolution image, filled where less than half of a pixel is known.

        Near the hole's edge it is inpainted; deep inside, where inpainting draws rays, it is the filling of the
        image of half the size.
        """
        cv2 = load_cv2()
        height, width = known.shape
        unknown = known < 0.5
        if unknown.all():
            plain: Pixels = np.empty_like(small)
            plain[:] = np.average(small.reshape(-1, 3), axis=0, weights=known.ravel())
            return plain
        flag = cv2.INPAINT_TELEA if self.method == "telea" else cv2.INPAINT_NS
        pixels = small.round().clip(0, 255).astype(np.uint8)
        near: Pixels = cv2.inpaint(pixels, unknown.astype(np.uint8), 3, flag).astype(np.float32)
        if max(height, width) <= _COARSEST:
            return near
        size = max(1, width // 2), max(1, height // 2)
        coarse = self._fill_level(*_shrink(small, known, size))
        deep = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).reshape(small.shape)
        weight = fade(unknown, _RIM)[..., None]
        filled: Pixels = near * (1 - weight) + deep * weight
        return filled


def _shrunk(raster: Raster, hole: Mask, side: int) -> tuple[Pixels, Pixels]:
    height, width = hole.shape
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return _shrink(raster.astype(np.float32), (~hole).astype(np.float32), size)


def _shrink(pixels: Pixels, known: Pixels, size: tuple[int, int]) -> tuple[Pixels, Pixels]:
    """Pixels and known share at another size. Means are over what is known: the object must not bleed out."""
    cv2 = load_cv2()
    share = cv2.resize(known, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0])
    mean = cv2.resize(pixels * known[..., None], size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], 3)
    return mean / np.maximum(share, 1e-6)[..., None], share
