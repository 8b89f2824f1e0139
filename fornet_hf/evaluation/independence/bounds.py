"""Lower bounds of the information of x and y, in nats, that follow from a critic's scores of pairs.

MINE: Donsker and Varadhan's bound E[T(x, y)] - ln E[exp T(x, y')] (Belghazi et al. 2018,
https://arxiv.org/abs/1801.04062), where y' comes from another row. It can say any number, and errs more the higher.

InfoNCE: E[T(x, y) - ln mean exp T(x, .)], the mean over y and k others (van den Oord et al. 2018,
https://arxiv.org/abs/1807.03748). It errs less, but never says more than ln(k + 1).

Both are bounds on rows that the critic did not learn from; on those that it did they say too much.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from fornet_hf.evaluation.independence.configuration import INFONCE, MINE, EstimatorConfig
from fornet_hf.evaluation.statistics.values import Means


class Reading(NamedTuple):
    """A bound's word on rows.

    Attributes:
        scores: float64, one a row, in nats; their mean is the bound.
        samples: rows x columns, for `Bootstrap.estimate`.
    """

    scores: Means
    samples: Means


class Bound(Protocol):
    """A lower bound: its loss for training, and its word on rows."""

    def loss(self, scores: Tensor) -> Tensor:
        """Return what training minimises, a scalar.

        Args:
            scores: rows x (1 + others), first of the pairs that belong together; at least one other.
        """
        ...

    def read(self, scores: Means) -> Reading:
        """Return what the bound says of rows, all of whose pairs one critic scored.

        Args:
            scores: as of `loss`, float64; NaN at the end of rows that were compared with fewer others.
        """
        ...

    def statistic(self, means: Means) -> Means:
        """Return the bound of the means (... x columns) of a reading's samples."""
        ...


class Mine:
    """Donsker and Varadhan's bound, trained with MINE's corrected gradient.

    The gradient of ln E[exp T] has E[exp T] as a divisor, and a batch's own mean would bias it: a moving average of
    the batches' means stands in its place.

    Args:
        average: weight of the newest batch in it, above 0 to 1; 1: no correction.
    """

    def __init__(self, average: float) -> None:
        self._weight = average
        self._average: Tensor | None = None  # the logarithm of the moving average

    def loss(self, scores: Tensor) -> Tensor:
        """Return a scalar whose gradient is that of minus the bound, corrected; its value means nothing."""
        others = scores[:, 1:]
        mean = others.flatten().logsumexp(0) - math.log(others.numel())
        now = mean.detach()
        if self._average is None or self._weight == 1:
            self._average = now
        else:
            kept = self._average + math.log(1 - self._weight)
            self._average = torch.logaddexp(kept, now + math.log(self._weight))
        return (mean - self._average).exp() - scores[:, 0].mean()

    def read(self, scores: Means) -> Reading:
        """Return T(x, y) of each row, less ln E[exp T] of all others."""
        others = _log_mean_exp(scores[:, 1:])
        zero = _log_mean_exp(others[None])
        return Reading(scores[:, 0] - zero, np.stack([scores[:, 0] - zero, np.exp(others - zero)], axis=1))

    def statistic(self, means: Means) -> Means:
        """Return the bound of a reading's means."""
        bound: Means = means[..., 0] - np.log(means[..., 1])
        return bound


class InfoNCE:
    """InfoNCE: its loss is the cross-entropy of telling each row's own y among the others."""

    def loss(self, scores: Tensor) -> Tensor:
        """Return minus the bound, but for a constant."""
        return (scores.logsumexp(1) - scores[:, 0]).mean()

    def read(self, scores: Means) -> Reading:
        """Return T(x, y) of each row, less ln mean exp T of its own y and the others."""
        own: Means = scores[:, 0] - _log_mean_exp(scores)
        return Reading(own, own[:, None])

    def statistic(self, means: Means) -> Means:
        """Return the bound of a reading's means: the mean itself."""
        return means[..., 0]


def new_bound(config: EstimatorConfig) -> Bound:
    """Return the bound that the configuration names, which has seen no batch yet."""
    bounds: Mapping[str, Bound] = {MINE: Mine(config.average), INFONCE: InfoNCE()}
    return bounds[config.estimator]


def _log_mean_exp(scores: Means) -> Means:
    """Return ln of the mean over each row's exponentials, of which none overflows; NaN does not count."""
    highest = np.nanmax(scores, axis=1)
    means: Means = highest + np.log(np.nanmean(np.exp(scores - highest[:, None]), axis=1))
    return means
