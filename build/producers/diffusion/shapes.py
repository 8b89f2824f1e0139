"""Sizes at which networks see images."""

from __future__ import annotations

LATENT = 8
"""Pixels of a side that one value of the latent image stands for."""


def working_shape(height: int, width: int, *, side: int, multiple: int) -> tuple[int, int]:
    """Return height and width of an image at another size, both rounded to multiples of a number, at least one.

    Args:
        height: of the image, pixels.
        width: likewise.
        side: of the longer side afterwards, before it is rounded.
        multiple: number that the network needs.
    """
    scale = side / max(height, width)
    high, wide = (max(1, round(value * scale / multiple)) * multiple for value in (height, width))
    return high, wide
