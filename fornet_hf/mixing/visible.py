"""Weights that follow objects, from ForNet's masks: labels by what is seen of each, and backgrounds mixed alone.

The same code serves NumPy arrays and torch tensors, on whatever device they are. Masks are 0 where the object is not.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import numpy as np
    import torch

Array = TypeVar("Array", "np.ndarray[Any, Any]", "torch.Tensor")


def visible_shares(weights: Array, own: Array, other: Array, lam: Array) -> Array:
    """Return the share of each image's own label: its object's visible area / the visible area of both objects.

    Areas are absolute: of two objects that are seen whole, the larger one has the larger share. Where neither is
    seen, the share is lambda.

    Args:
        weights: float32, N or 1 x 1 x height x width, or 1 for a dimension in which it is constant, 0 to 1: the
            share of the image itself in each pixel of its mixture.
        own: masks of the images, N x 1 x height x width, any dtype; a level counts as that part of the whole.
        other: masks of their partners, of the same shape and scale.
        lam: float32, N or 1: the share of the image itself in all pixels.

    Returns: float32, N.
    """
    flat = len(own), math.prod(own.shape[1:])
    seen = (weights * own).reshape(flat).sum(1)
    both = seen + ((1 - weights) * other).reshape(flat).sum(1)
    nothing = both == 0
    shares: Array = (seen + lam * nothing) / (both + nothing)
    return shares


def background_weights(weights: Array, own: Array, other: Array) -> Array:
    """Return weights that mix backgrounds alone: the image's own object stays whole, and the other one never shows.

    All of the rectangle around the other object is the image's own, as a hole in the object's shape would show it.

    Args and result are those of `visible_shares`; the result has N x 1 x height x width.
    """
    hidden: Any = other > 0
    rows, columns = hidden.any(axis=3, keepdims=True), hidden.any(axis=2, keepdims=True)
    kept: Any = (own > 0) | _between(rows, 2) & _between(columns, 3)
    return weights.clip(min=kept)


def _between(lines: Any, axis: int) -> Any:
    """Return True from the first to the last line along an axis that is True."""
    so_far = lines.cumsum(axis)
    return (so_far > 0) & ((so_far < lines.sum(axis, keepdims=True)) | lines)
