"""The object of one row: its mask, its measures, and its pixels at any size."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.format import jpeg
from fornet_hf.format.bits import Bits
from fornet_hf.format.masks import Box, Levels, Mask, levels_of, open_mask
from fornet_hf.recombination.draw.composition import Bounds, Size
from fornet_hf.recombination.draw.configuration import BILINEAR
from fornet_hf.recombination.draw.sampling import ForegroundShape
from fornet_hf.recombination.pixels.decoding import (
    ImageLike,
    Part,
    decode_part,
    part_of,
    shrink_for,
    size_of,
)
from fornet_hf.recombination.pixels.quads import Quads, fourth, image_of
from fornet_hf.recombination.pixels.scaling import SUPPORT, scaled_along, scaled_mask
from fornet_hf.recombination.pixels.span import Span

Seen = tuple[Quads, tuple[Span, Span], str]  # arguments of `scaled_along`


class Cutout:
    """A foreground, tight around its object.

    Attributes:
        shape: what sampling must know. A mask without any object has coverage 0.
    """

    def __init__(self, colours: ImageLike, mask: Mask | Levels | Bits, ratio: float) -> None:
        """`mask` has the height and width of `colours`; `ratio` as in `ForegroundShape`."""
        if not isinstance(mask, Bits) and mask.dtype == np.bool_:
            mask = Bits.of(mask.view(np.bool_))
        self._colours, self._given = colours, mask
        if isinstance(mask, Bits):
            size, box, total = mask.size, mask.box, float(mask.area)
        else:
            size, box, total = self._mask.size, self._mask.getbbox(), float(mask.sum()) / 255
        self._box: Box = box or (0, 0, *size)
        width, height = self._box[2] - self._box[0], self._box[3] - self._box[1]
        self.shape = ForegroundShape(width, height, total / (width * height), ratio)
        self._kept: dict[tuple[Box, int], tuple[Quads, tuple[int, int]]] | None = None

    @cached_property
    def _mask(self) -> Image.Image:
        if not isinstance(self._given, Bits):
            return Image.fromarray(self._given)
        return Image.fromarray(self._given.levels((0, 0, *self._given.size)))

    def _levels(self, box: Box, shrink: int) -> npt.NDArray[np.uint8]:
        """Return a part of the mask, 0 to 255, height x width; of each `shrink` x `shrink` pixels their mean."""
        if shrink == 1 and isinstance(self._given, Bits):
            return self._given.levels(box)
        return np.asarray(self._mask.crop(box).reduce(shrink))

    def keep_decoded(self) -> None:
        """Keep what is decoded from now on, for more views of the same object."""
        self._kept = {}

    @classmethod
    def of_bytes(cls, foreground: ImageLike, mask: ImageLike, ratio: float) -> Cutout:
        """Make it of a row's columns `foreground` and `mask`.

        Raises:
            ConfigurationError: they differ in size.
            PatchFormatError: the mask is damaged.
        """
        if isinstance(mask, Image.Image):
            given: Mask | Levels | Bits = levels_of(mask)
        else:
            given = Bits.of_png(mask) or open_mask(mask)
        found, size = given.size if isinstance(given, Bits) else given.shape[::-1], size_of(foreground)
        if found != size:
            both = f"a mask of {found} and a foreground of {size}"
            raise ConfigurationError(explain("the mask has not the size of its foreground", found=both))
        return cls(foreground, given, ratio)

    @classmethod
    def of_rgba(cls, image: Image.Image, ratio: float) -> Cutout:
        """Make it of an RGBA image, such as a `foreground_transform` returns, without its transparent border."""
        return cls(image.convert("RGB"), levels_of(image.getchannel("A")), ratio)

    def placed_at(self, corner: tuple[int, int]) -> dict[str, Any]:
        """Return the `Composition`'s fields that show the object at its own size, its crop's corner at `corner`."""
        size = self.shape.width, self.shape.height
        offset = corner[0] + self._box[0], corner[1] + self._box[1]
        return {"size": size, "part": (0, 0, *size), "offset": offset, "sigma": 0.0}

    def rgba(self) -> Image.Image:
        """Return the object with its mask as alpha channel: the tight box, at its own size."""
        image = decode_part(self._colours, self._box, (self.shape.width, self.shape.height)).convert("RGBA")
        image.putalpha(self._mask.crop(self._box))
        return image

    def scaled(
        self, box: Bounds, output: Size, interpolation: str = BILINEAR
    ) -> tuple[Image.Image, npt.NDArray[np.uint8]]:
        """Return the pixels under `box` (pixels of the tight box), scaled to `output`.

        Returns: its colours, RGB; and its mask, uint8, height x width.
        """
        quads = scaled_along(*self.seen(box, output, interpolation))
        return image_of(quads), fourth(quads)

    def seen(self, box: Bounds, output: Size, interpolation: str) -> Seen:
        """Decode for `scaled`: return the arguments for `scaled_along`, which is the rest."""
        return self.seeing(box, output, interpolation)()

    def seeing(self, box: Bounds, output: Size, interpolation: str) -> Callable[[], Seen]:
        """Cut for `seen`: return a function that does the rest of it."""
        scale = min((box[2] - box[0]) / output[0], (box[3] - box[1]) / output[1])
        shrink = shrink_for(self._colours, scale / 2)  # edges are rounded to these pixels
        x, y = self._spans(box, output, shrink, interpolation)
        seen = x.first * shrink, y.first * shrink, x.last * shrink, y.last * shrink
        kept = self._kept is not None and (seen, shrink) in self._kept
        part = None if kept else part_of(self._colours, seen, shrink, 0)

        def decoded() -> Seen:
            quads, (left, top) = self._region((seen, shrink), part)
            return quads, (x.moved(-left), y.moved(-top)), interpolation

        return decoded

    @property
    def coded_size(self) -> Size | None:
        """Width and height of its colours, if they are a JPEG of the format and the mask is 0 and 255 alone."""
        coded = isinstance(self._given, Bits) and isinstance(self._colours, bytes)
        return jpeg.size_of(self._colours) if coded else None  # type: ignore[arg-type]  # bytes

    def unscaled(self, box: Bounds, output: Size, interpolation: str) -> tuple[bytes, Bits, tuple[Span, Span]]:
        """Return the bytes of the colours, the mask, and what `seen` sees of both; for those with a `coded_size`."""
        if not isinstance(self._colours, bytes) or not isinstance(self._given, Bits):
            raise TypeError("this foreground has no bytes")
        return self._colours, self._given, self._spans(box, output, 1, interpolation)

    def unscaled_mask(
        self, box: Bounds, output: Size, interpolation: str
    ) -> tuple[npt.NDArray[np.uint8], tuple[Span, Span]]:
        """Return the mask (0 to 255, height x width), and what `mask` sees of it."""
        return np.asarray(self._mask), self._spans(box, output, 1, interpolation)

    def mask(self, box: Bounds, output: Size, interpolation: str = BILINEAR) -> npt.NDArray[np.uint8]:
        """Return the mask alone, as `scaled` does."""
        x, y = self._spans(box, output, 1, interpolation)
        return scaled_mask(self._mask, (x, y), interpolation)

    def _region(self, name: tuple[Box, int], part: Part | None) -> tuple[Quads, tuple[int, int]]:
        """Return a part of the crop with its mask as fourth byte, and its corner, in pixels of the crop / `shrink`.

        Args:
            name: what it is kept under, if it is kept: the box that is seen, and `shrink`.
            part: None: it was kept.
        """
        if part is None:
            return (self._kept or {})[name]
        region, (seen, shrink) = part.decoded(), name
        quads = region.quads if region.quads.flags.writeable else region.quads.copy()
        left, top = region.box[0] // shrink, region.box[1] // shrink  # blocks are multiples of 8
        x, y = seen[0] // shrink - left, seen[1] // shrink - top
        levels = self._levels((*seen[:2], min(seen[2], region.box[2]), min(seen[3], region.box[3])), shrink)
        quads[y : y + levels.shape[0], x : x + levels.shape[1], 3] = levels
        if self._kept is not None:
            self._kept[name] = quads, (left, top)
        return quads, (left, top)

    def _spans(self, box: Bounds, output: Size, shrink: int, interpolation: str) -> tuple[Span, Span]:
        """Return the spans in x and y, in pixels of the crop / `shrink`."""
        x, y = (
            Span.of(
                (box[axis] + self._box[axis]) / shrink,
                (box[axis + 2] + self._box[axis]) / shrink,
                output[axis],
                (self._box[axis] / shrink, self._box[axis + 2] / shrink),
                SUPPORT[interpolation],
            )
            for axis in (0, 1)
        )
        return x, y
