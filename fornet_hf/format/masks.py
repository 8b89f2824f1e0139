"""Masks: which pixels of a raster are the object; bool arrays of height x width."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fornet_hf.errors import EmptyMaskError

Mask = npt.NDArray[np.bool_]
Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels; x1 and y1 excluded


def bounding_box(mask: Mask) -> Box:
    """The smallest box around all true pixels.

    Raises:
        EmptyMaskError: there is none.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        raise EmptyMaskError("the mask selects no pixel, so there is no foreground")
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def dilate(mask: Mask, radius: int) -> Mask:
    """True within `radius` pixels (in x and in y: a square) of a true pixel."""
    wide = _grow_rows(mask, radius)
    return np.ascontiguousarray(_grow_rows(np.ascontiguousarray(wide.T), radius).T)


def _grow_rows(mask: Mask, radius: int) -> Mask:
    width = mask.shape[1]
    sums = np.zeros((mask.shape[0], width + 1), np.int32)
    np.cumsum(mask, axis=1, out=sums[:, 1:])
    column = np.arange(width)
    after = np.minimum(column + radius + 1, width)
    before = np.maximum(column - radius, 0)
    return np.asarray(sums[:, after] > sums[:, before])
