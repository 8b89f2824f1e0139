"""Images as a classifier expects them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL.Image import Resampling

from fornet_hf.arguments import plain, positive
from fornet_hf.errors import ConfigurationError, explain

if TYPE_CHECKING:
    from PIL import Image

    from fornet_hf.recombination.draw.composition import Bounds, Size

_INTERPOLATIONS = tuple(one.name.lower() for one in Resampling)


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """The images that a classifier expects.

    Attributes:
        size: side of the square that it sees, pixels.
        crop: side of the square / shorter side of the resized image, above 0; above 1 the image has a black border.
        squash: True: the image is resized to a square, whatever its shape; else its shape is kept.
        interpolation: of resizing, a name of Pillow's in small letters: bilinear, bicubic, ...
        mean: of red, green and blue, 0 to 1.
        std: likewise, above 0.

    Raises:
        ConfigurationError: a value is not allowed.
    """

    size: int = 224
    crop: float = 0.875
    squash: bool = False
    interpolation: str = "bicubic"
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", positive("preprocessing.size", self.size))
        for name in ("crop", "mean", "std"):
            object.__setattr__(self, name, plain(getattr(self, name)))
        checks = (
            ("crop", isinstance(self.crop, (int, float)) and 0 < self.crop <= self.size, "a share above 0"),
            ("interpolation", self.interpolation in _INTERPOLATIONS, ", ".join(_INTERPOLATIONS)),
            ("mean", _are_of_colours(self.mean, lambda one: 0 <= one <= 1), "three numbers from 0 to 1"),
            ("std", _are_of_colours(self.std, lambda one: 0 < one < math.inf), "three numbers above 0"),
        )
        for name, fits, allowed in checks:
            if not fits:
                found = getattr(self, name)
                raise ConfigurationError(
                    explain(f"preprocessing.{name} is not allowed", found=found, allowed=allowed)
                )
        for name in ("mean", "std"):
            object.__setattr__(self, name, tuple(map(float, getattr(self, name))))

    @property
    def edge(self) -> int:
        """Shorter side of the resized image, pixels; rounded down, as timm does."""
        return math.floor(self.size / self.crop)

    def prepared(self, image: Image.Image) -> npt.NDArray[np.uint8]:
        """Return what the classifier sees of an RGB image: uint8, 3 x size x size.

        These are the bytes that timm's and torchvision's transforms for evaluation make of a PIL image.
        """
        resized, (left, top) = self.resized(image.size), self.corner(image.size)
        seen = image.resize(resized, Resampling[self.interpolation.upper()])
        seen = seen.crop((left, top, left + self.size, top + self.size))
        return np.ascontiguousarray(np.asarray(seen).transpose(2, 0, 1))

    def box(self, size: Size) -> Bounds:
        """Return the part of an image of this size that the classifier sees, in pixels of the image."""
        sides = []
        for side, resized, start in zip(size, self.resized(size), self.corner(size), strict=True):
            scale = side / resized
            sides.append((max(start, 0) * scale, min(start + self.size, resized) * scale))
        (left, right), (top, bottom) = sides
        return left, top, right, bottom

    def corner(self, size: Size) -> tuple[int, int]:
        """Return the square's upper left corner on the resized image, pixels; below 0 where there is a border."""
        x, y = (_offset(side, self.size) for side in self.resized(size))
        return x, y

    def resized(self, size: Size) -> Size:
        """Return the size to which an image is resized; the longer side is rounded down, as torchvision does."""
        shorter, edge = min(size), self.edge
        if self.squash:
            return edge, edge
        width, height = (edge if side == shorter else int(edge * side / shorter) for side in size)
        return width, height


def share(size: int, edge: int) -> float:
    """Return the share `crop` of a square in the middle of an image that is resized to `edge` pixels."""
    nearest = size / edge
    return nearest if math.floor(size / nearest) == edge else math.nextafter(nearest, 0)


def _are_of_colours(values: Any, fits: Callable[[float], bool]) -> bool:
    three = isinstance(values, (tuple, list)) and len(values) == 3
    return three and all(isinstance(one, (int, float)) and fits(one) for one in values)


def _offset(side: int, shown: int) -> int:
    """Return where the middle begins, rounded as by torchvision; below 0 in a border."""
    return round((side - shown) / 2) if side >= shown else -((shown - side) // 2)
