"""A learned critic finds more than the closed form: shadows beside the object, a silhouette in the infill."""

from __future__ import annotations

import numpy as np

from fornet_hf.evaluation.independence.configuration import IMAGES, EstimatorConfig
from fornet_hf.evaluation.independence.estimating import Estimate, estimate
from fornet_hf.evaluation.leakage.fields import Field, light
from fornet_hf.evaluation.leakage.squares import Squares
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap

_CONFIG = EstimatorConfig(critic=IMAGES, width=32, batch=64, others=4, rate=4e-3, steps=150, folds=2, every=25)
_BUSY = 10.0  # brings differences of neighbours to the size of those of colours


def information(
    squares: Squares, hidden: Field, name: str, bootstrap: Bootstrap, device: str | None = None
) -> Estimate:
    """Return a learned bound of the information of visible objects and what is hidden there, seen at half the size.

    Args:
        squares: 20 rows or more.
        hidden: content of the objects' place, in logarithms of light: n x SIDE x SIDE x 3.
        name: "mine" or "infonce".
        bootstrap: of the interval; its seed is that of the critics, too.
        device: of the critics; None: a GPU if there is one.

    Raises:
        ConfigurationError: there are too few rows, or torch has no such device.
    """
    area = _halved(squares.masks[..., None].astype(np.float32))
    shown = np.concatenate([(_halved(light(squares.sources)) + 1) * area, area], axis=-1)
    return _estimate(shown, _halved(hidden), name, squares, bootstrap, device)


def traces(squares: Squares, bootstrap: Bootstrap, device: str | None = None) -> Estimate:
    """Return InfoNCE's bound of the information of masks and whole backgrounds, and each row's share in it, in nats.

    The critic sees the background inside and outside of the mask, at a quarter of the size, and how busy it is; it
    learns from one half of the rows to score the other. Whatever tells the object's outline has high scores: its
    shadow, or another texture.

    Args and errors as of `information`.
    """
    masks = _halved(_halved(squares.masks[..., None].astype(np.float32)))
    shown = np.concatenate([masks, np.ones_like(masks)], axis=-1)
    colours = light(squares.backgrounds)
    means = _halved(colours)
    busy = _halved(np.abs(colours - means.repeat(2, axis=1).repeat(2, axis=2)).mean(axis=-1, keepdims=True))
    seen = np.concatenate([_halved(means), _BUSY * _halved(busy) - 1], axis=-1)
    return _estimate(shown, seen, "infonce", squares, bootstrap, device)


def _estimate(
    shown: Field, hidden: Field, name: str, squares: Squares, bootstrap: Bootstrap, device: str | None
) -> Estimate:
    config = EstimatorConfig(**{**vars(_CONFIG), "estimator": name, "seed": bootstrap.seed, "device": device})
    x, y = (np.moveaxis(one, -1, 1) for one in (shown, hidden + 1))
    return estimate(x, y, config, sources=squares.keys, bootstrap=bootstrap)


def _halved(field: Field) -> Field:
    """Return the means of 2 x 2 pixels."""
    rows = field[:, ::2] + field[:, 1::2]
    return np.asarray((rows[:, :, ::2] + rows[:, :, 1::2]) / 4)
