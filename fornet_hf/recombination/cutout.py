"""The object of one row: its mask, its measures, and its pixels at any size."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from fornet_hf.recombination.composition import Size
from fornet_hf.recombination.decoding import Picture, decode_part
from fornet_hf.recombination.sampling import ForegroundShape
from fornet_hf.recombination.scaling import Bounds, scaled


class Cutout:
    """A foreground, tight around its object.

    Attributes:
        shape: what sampling must know. A mask without any object has coverage 0.
    """

    def __init__(self, colours: Picture, mask: Image.Image, ratio: float) -> None:
        """`colours` and `mask` (mode L or 1) have the same size; `ratio` as in `ForegroundShape`."""
        box = mask.getbbox() or (0, 0, *mask.size)
        alpha = mask.crop(box)
        self._colours, self._origin = colours, box[:2]
        self._alpha = alpha if alpha.mode == "L" else alpha.convert("L")
        pixels = np.asarray(self._alpha)
        total = float(pixels.sum()) / 255 if alpha.mode == "L" else np.count_nonzero(pixels)
        coverage = total / pixels.size
        self.shape = ForegroundShape(*self._alpha.size, coverage, ratio)

    @classmethod
    def of_bytes(cls, foreground: Picture, mask: Picture, ratio: float) -> Cutout:
        """From a row's columns `foreground` and `mask`."""
        opened = mask if isinstance(mask, Image.Image) else Image.open(io.BytesIO(mask))
        return cls(foreground, opened, ratio)

    @classmethod
    def of_rgba(cls, picture: Image.Image, ratio: float) -> Cutout:
        """From an RGBA picture, such as a `foreground_transform` returns; its transparent border is cut off."""
        return cls(picture.convert("RGB"), picture.getchannel("A"), ratio)

    def placed_at(self, corner: tuple[int, int]) -> dict[str, Any]:
        """The fields of the `Composition` that shows the object at its own size, its crop's corner at `corner`."""
        width, height = self._alpha.size
        offset = corner[0] + self._origin[0], corner[1] + self._origin[1]
        return {"size": (width, height), "part": (0, 0, width, height), "offset": offset, "sigma": 0.0}

    def rgba(self) -> Image.Image:
        """The object with its mask as alpha channel: the tight box, at its own size."""
        (x, y), (width, height) = self._origin, self._alpha.size
        picture = decode_part(self._colours, (x, y, x + width, y + height), (width, height)).convert("RGBA")
        picture.putalpha(self._alpha)
        return picture

    def colours(self, box: Bounds, output: Size) -> Image.Image:
        """The RGB pixels under `box` (pixels of the tight box), scaled to `output`."""
        x, y = self._origin
        return decode_part(self._colours, (box[0] + x, box[1] + y, box[2] + x, box[3] + y), output)

    def alpha(self, box: Bounds, output: Size) -> Image.Image:
        """The mask under `box` (pixels of the tight box), scaled to `output`; mode L."""
        return scaled(self._alpha, box, output)
