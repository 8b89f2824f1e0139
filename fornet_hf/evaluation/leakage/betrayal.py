"""Betrayal: how much of an object's colours its infilled background has, beyond what the surroundings tell; a score.

The seed of the formula is the cross term of CLUB's bound with a normal conditional (Cheng et al. 2020,
https://arxiv.org/abs/2006.12013), mean_j |y_j - x|^2 / 2 - |y - x|^2 / 2 = (y - mean_j y_j) . x + ..., in which the
terms of y alone say how busy an infill is, not what it knows. Two things are measured so:

- area: y is the infill less what the ring around the object lets expect, x the object less the same ring;
- rim: y is what a band along the object's edge has more than both of its sides, x the object near that edge.

All is in logarithms of light, so that light which falls on everything goes away with the ring. By how much the ring
counts is a regression over a sample: y has no correlation with the ring, so what the surroundings tell of the object
is in no score (Frisch and Waugh: a partial covariance). Each score is a cosine, -1 to 1, less its mean over shuffled
pairs: other rows' whole backgrounds, seen through the row's own mask and ring; so independent content has the mean 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fornet_hf.arguments import require
from fornet_hf.evaluation.independence.partners import drawn_partners
from fornet_hf.evaluation.leakage.fields import Area, Field, filled, grown, light, shrunk
from fornet_hf.evaluation.leakage.squares import Squares
from fornet_hf.recombination.draw.rng import generator

Scores = npt.NDArray[np.float64]
PARTS = ("area", "rim")
LEAST = 8
"""Rows that a sample has at least."""
_FLOORS = (0.1, 0.05)  # logarithms of light; below them content is noise, whose direction says nothing
_OUTSIDE, _INSIDE = 2, 3  # pixels of the band along the edge
_BLENDED = 2  # pixels inside of the edge, which show some of the ground through the object
_ROUNDS = 3  # of the regression, whose weights depend on its residuals
_PARTNERS = 4  # of each row of the sample
_TOGETHER = 64  # rows at a time, which keeps them in the processor's cache


@dataclass(frozen=True, kw_only=True)
class Regression:
    """The linear expectation of one field from another one, over a sample.

    Attributes:
        slope: how much of the one is in the other.
        at: mean of the one, by channel.
        mean: mean of the other, by channel.
    """

    slope: float
    at: Field
    mean: Field

    def residual(self, y: Field, x: Field) -> Field:
        """Return y less what x lets expect."""
        rest: Field = y - self.mean - np.float32(self.slope) * (x - self.at)
        return rest


@dataclass(frozen=True, kw_only=True)
class Control:
    """A sample of a set, as far as all of its rows are scored against it.

    Attributes:
        expected: what the ring lets expect of area and rim.
        zeros: means of area and rim over shuffled pairs.
        spreads: their standard deviations.
        rows: number of rows in the sample.
    """

    expected: tuple[Regression, ...]
    zeros: tuple[float, ...]
    spreads: tuple[float, ...]
    rows: int

    @classmethod
    def of(cls, sample: Squares, seed: int = 0) -> Control:
        """Return the control that follows from a sample, which has rows of all classes if it can.

        Args:
            sample: 8 rows or more.
            seed: of the shuffled pairs.

        Raises:
            ConfigurationError: the sample is too small.
        """
        allowed = f"{LEAST} or more, as they are compared with each other"
        require(
            len(sample) >= LEAST,
            "number of images with object, background and surroundings",
            len(sample),
            allowed,
        )
        views = _Views.of(sample)
        expected = tuple(
            _regression(y, x, areas, content, floor)
            for (y, x, areas, content), floor in zip(views.pairs(), _FLOORS, strict=True)
        )
        partners = drawn_partners([0] * len(sample), _PARTNERS, generator("leakage", seed))
        shuffled = np.concatenate([views.cosines(expected, views.infills[places]) for places in partners.T])
        zeros, spreads = (tuple(map(float, one)) for one in (shuffled.mean(axis=0), shuffled.std(axis=0)))
        return cls(expected=expected, zeros=zeros, spreads=spreads, rows=len(sample))

    def parts(self, squares: Squares) -> Scores:
        """Return area and rim of rows: float64, n x 2, about -1 to 1; 0 is the mean of shuffled pairs."""
        starts = range(0, len(squares), _TOGETHER)
        chunks = [squares.at(range(start, min(start + _TOGETHER, len(squares)))) for start in starts]
        found = [_Views.of(chunk).cosines(self.expected) for chunk in chunks]
        parts: Scores = np.concatenate([np.zeros((0, len(PARTS))), *found]) - np.asarray(self.zeros)
        return parts

    def scores(self, parts: Scores) -> Scores:
        """Return the score of rows from their parts: n numbers, in standard deviations of shuffled pairs."""
        together: Scores = (parts / np.asarray(self.spreads)).sum(axis=1) / np.sqrt(len(PARTS))
        return together


@dataclass(frozen=True)
class _Views:
    """Rows, and what their own infills are compared with.

    Attributes:
        infills: their backgrounds in logarithms of light.
        masks: of the objects.
        rings: of their surroundings.
        band: pixels along the edges.
        sides: pixels beyond the band, on both sides.
        around: what the ring lets expect in the mask.
        object: the object less that, from within its edge continued.
    """

    infills: Field
    masks: Area
    rings: Area
    band: Area
    sides: Area
    around: Field
    object: Field

    @classmethod
    def of(cls, squares: Squares) -> _Views:
        masks = squares.masks
        band = grown(masks, _OUTSIDE) & ~shrunk(masks, _INSIDE)
        infills = light(squares.backgrounds)
        around = filled(infills, squares.rings)
        apart = filled(light(squares.sources) - around, _unblended(masks))
        return cls(infills, masks, squares.rings, band, ~grown(band, 1), around, apart)

    def pairs(self, infills: Field | None = None) -> tuple[tuple[Field, Field, Area, Field], ...]:
        """Return of area and rim: what is explained, the ring that explains it, where, and the object's side."""
        around = self.around if infills is None else filled(infills, self.rings)
        infills = self.infills if infills is None else infills
        line = infills - filled(infills, self.sides)
        return (infills, around, self.masks, self.object), (line, filled(around, self.masks), self.band, self.object)

    def cosines(self, expected: Sequence[Regression], infills: Field | None = None) -> Scores:
        """Return area and rim of the rows, with other backgrounds if some are given: n x 2."""
        columns = [
            _cosine(regression.residual(y, x), content, areas, floor)
            for (y, x, areas, content), regression, floor in zip(self.pairs(infills), expected, _FLOORS, strict=True)
        ]
        return np.stack(columns, axis=1)


def _unblended(masks: Area) -> Area:
    """Return masks without their blended edges; thin ones, of which nothing would be left, as they are."""
    inner = shrunk(masks, _BLENDED)
    return np.where(inner.any(axis=(1, 2), keepdims=True), inner, masks)


def _product(x: Field, y: Field, areas: Area) -> Scores:
    """Return the mean product of two fields over areas and channels; 0 where an area is empty."""
    sums = np.einsum("nhwc,nhwc,nhw->n", x, y, areas.astype(np.float32))
    return np.asarray(sums / np.maximum(areas.sum(axis=(1, 2)) * x.shape[-1], 1), np.float64)


def _cosine(x: Field, y: Field, areas: Area, floor: float) -> Scores:
    lengths = (_product(x, x, areas) + floor**2) * (_product(y, y, areas) + floor**2)
    return np.asarray(_product(x, y, areas) / np.sqrt(lengths))


def _regression(y: Field, x: Field, areas: Area, content: Field, floor: float) -> Regression:
    """Return what x lets expect of y; rows count as they do in the mean of their cosines with the content."""
    fixed = 1 / np.maximum(areas.sum(axis=(1, 2)), 1) / np.sqrt(_product(content, content, areas) + floor**2)
    weights = fixed
    for _ in range(_ROUNDS):
        found = _least_squares(y, x, areas * weights[:, None, None].astype(np.float32))
        rest = found.residual(y, x)
        weights = fixed / np.sqrt(_product(rest, rest, areas) + floor**2)
    return found


def _least_squares(y: Field, x: Field, weights: Field) -> Regression:
    total = max(float(weights.sum(dtype=np.float64)), 1e-12)
    mean, at = (np.einsum("nhwc,nhw->c", field, weights) / np.float32(total) for field in (y, x))
    both = np.einsum("nhwc,nhwc,nhw->", y - mean, x - at, weights)
    alone = np.einsum("nhwc,nhwc,nhw->", x - at, x - at, weights)
    return Regression(slope=float(both / max(alone, 1e-12)), at=at, mean=mean)
