"""Small images as fields of light: logarithms, masks grown and shrunk, and values filled in from their surroundings.

All take stacks: the first axis numbers the images.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]
Colours = npt.NDArray[np.uint8]
Area = npt.NDArray[np.bool_]
_DARK = 16.0  # grey levels; below them differences count for less, as noise is all that is there


def light(colours: Colours) -> Field:
    """Return the logarithm of grey levels: a change of all light by a factor adds a constant.

    Args:
        colours: uint8, any shape.

    Returns:
        ln((v + 16) / 271), float32, -2.83 to 0.
    """
    table = np.log((np.arange(256, dtype=np.float32) + _DARK) / (255 + _DARK))
    field: Field = table[colours]
    return field


def grown(areas: Area, radius: int) -> Area:
    """Return True within `radius` pixels, in x and in y, of a True pixel: bool, n x height x width."""
    for axis in (1, 2):
        length = areas.shape[axis]
        padding = [(0, 0)] * 3
        padding[axis] = (radius + 1, radius)
        sums = np.cumsum(np.pad(areas, padding), axis=axis, dtype=np.int32)
        after = np.take(sums, np.arange(length) + 2 * radius + 1, axis)
        areas = after > np.take(sums, np.arange(length), axis)
    return areas


def shrunk(areas: Area, radius: int) -> Area:
    """Return True where all pixels within `radius` are True; beyond the edge of the image they are taken to be."""
    return ~grown(~areas, radius)


def filled(fields: Field, known: Area) -> Field:
    """Return fields whose unknown pixels follow from known ones near them: means of ever larger squares.

    Args:
        fields: float32, n x side x side x channels; the side is a power of 2.
        known: bool, n x side x side; an image without any gets 0 everywhere.

    Returns:
        As `fields`; known pixels keep their values.
    """
    weights = known[..., None].astype(np.float32)
    levels = [(fields * weights, weights)]
    while levels[-1][1].shape[1] > 1:
        sums, weights = (_halved(one) for one in levels[-1])
        levels.append((sums, weights))
    sums, weights = levels.pop()
    result: Field = sums / np.maximum(weights, np.float32(1e-9))
    for sums, weights in reversed(levels):
        coarse = result.repeat(2, axis=1).repeat(2, axis=2)
        result = np.where(weights > 0, sums / np.maximum(weights, np.float32(1e-9)), coarse)
    return result


def _halved(field: Field) -> Field:
    """Return the sums of squares of 2 x 2 pixels."""
    rows = field[:, ::2] + field[:, 1::2]
    return np.asarray(rows[:, :, ::2] + rows[:, :, 1::2])
