"""Images as a classifier expects them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """The images that a classifier expects.

    Attributes:
        size: side of the square that it sees, pixels.
        crop: share of the resized image that the square in its middle takes along the shorter side, above 0 to 1.
        squash: True: the image is resized to a square, whatever its shape; else its shape is kept.
        interpolation: of resizing, a name of Pillow's in small letters: bilinear, bicubic, ...
        mean: of each colour, 0 to 1.
        std: of each colour.
    """

    size: int = 224
    crop: float = 0.875
    squash: bool = False
    interpolation: str = "bicubic"
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
