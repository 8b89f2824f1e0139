"""Standard errors and intervals: source images are resampled, together with all that was made of each.

The bootstrap with clusters: a resample draws as many source images as there are, with replacement; the items of an
image that is drawn twice count twice, in every condition. So conditions stay paired, and several items of one image
do not pretend to be independent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.statistics.values import Evidence, Means, Statistic, Value
from fornet_hf.recombination.draw.rng import generator

_TAIL = 0.025  # on each side of an interval of 95 %
_CHUNK = 2**21  # counts of images in memory at once


def mean(means: Means) -> Means:
    """Return the only column's mean: the simplest statistic."""
    return column(0)(means)


def column(number: int) -> Statistic:
    """Return the statistic that is the mean of one column."""

    def of_column(means: Means) -> Means:
        return means[..., number]

    return of_column


@dataclass(frozen=True)
class Bootstrap:
    """Paired resampling of source images.

    Attributes:
        seed: of the generator.
        resamples: how many, 2 or more.

    Raises:
        ConfigurationError: fewer than 2 resamples, or a seed below 0.
    """

    seed: int = 0
    resamples: int = 1000

    def __post_init__(self) -> None:
        for name, least in (("seed", 0), ("resamples", 2)):
            if getattr(self, name) < least:
                found, allowed = getattr(self, name), f"{least} or more"
                raise ConfigurationError(explain(f"{name} is not allowed", found=found, allowed=allowed))

    def estimate(
        self,
        measure: str,
        samples: Means,
        sources: Sequence[str],
        statistic: Statistic = mean,
        *,
        part: str = "",
        left_out: Mapping[str, int] | None = None,
        undefined: str = "not defined",
    ) -> Value:
        """Return one statistic of the columns' means; see `estimates`."""
        (value,) = self.estimates(
            measure, samples, sources, {part: statistic}, left_out=left_out, undefined=undefined
        )
        return value

    def estimates(
        self,
        measure: str,
        samples: Means,
        sources: Sequence[str],
        statistics: Mapping[str, Statistic],
        *,
        left_out: Mapping[str, int] | None = None,
        undefined: str = "not defined",
    ) -> list[Value]:
        """Return statistics of the columns' means, all from the same resamples.

        The order of the items has no effect. The standard error is the deviation of the resamples, the interval
        from their percentile 2.5 to their percentile 97.5. Resamples in which a statistic is not defined are counted
        beyond both ends, so they can only widen the interval; from 2.5 % of them on there is none.

        Args:
            measure: name for the values.
            samples: items x columns, e.g. 1 for right and 0 for wrong answers in each condition.
            sources: source image of each item.
            statistics: by part of the measure: maps means (... x columns) to numbers (...); not finite: not defined.
            left_out: items that are not among the samples, by reason.
            undefined: says why a statistic is not defined, for the notes.

        Raises:
            ConfigurationError: a sample is not finite.
        """
        if not np.isfinite(samples).all():
            item = int(np.argwhere(~np.isfinite(samples))[0, 0])
            what = f"a sample of {measure} is not finite"
            then = "Leave such items out, and count them by their reason."
            raise ConfigurationError(explain(what, found=f"an item of {sources[item]}", then=then))
        totals = source_totals(samples, sources)[1]
        n = len(totals)
        values = [
            Value(
                measure=measure,
                part=part,
                value=None,
                n=n,
                left_out=left_out or {},
                evidence=Evidence(samples, sources, statistic),
            )
            for part, statistic in statistics.items()
        ]
        if n == 0:
            return [replace(value, note="all items are left out") for value in values]
        whole, resampled = totals.sum(axis=0), np.concatenate(list(self._resampled(totals)))
        with np.errstate(divide="ignore", invalid="ignore"):
            return [
                _filled(
                    value,
                    float(statistic(whole[:-1] / whole[-1])),
                    statistic(resampled[:, :-1] / resampled[:, -1:]),
                    undefined,
                )
                for value, statistic in zip(values, statistics.values(), strict=True)
            ]

    def _resampled(self, totals: Means) -> Iterator[Means]:
        """Yield the totals of resamples, many at a time: resamples x columns."""
        n = len(totals)
        rng = generator("bootstrap", self.seed)
        rows = max(1, _CHUNK // n)
        for start in range(0, self.resamples, rows):
            count = min(rows, self.resamples - start)
            drawn = rng.integers(n, size=(count, n)) + np.arange(count)[:, None] * n
            yield np.bincount(drawn.ravel(), minlength=count * n).reshape(count, n).astype(np.float64) @ totals


def source_totals(samples: Means, sources: Sequence[str]) -> tuple[Sequence[str], Means]:
    """Return the source images; and of each the sum of each column over its items, last the number of items."""
    names, image = np.unique(np.asarray(sources, dtype=np.str_), return_inverse=True)
    columns = [*samples.T, np.ones(len(samples))]
    return names.tolist(), np.stack([np.bincount(image, one, minlength=len(names)) for one in columns], axis=1)


def _filled(value: Value, number: float, resamples: Means, undefined: str) -> Value:
    """Return a value with its number, and with the error and the interval that follow from the resamples."""
    if not np.isfinite(number):
        return replace(value, note=undefined)
    if value.n == 1:
        return replace(value, value=number, note="one source image: no interval")
    defined = np.isfinite(resamples)
    low = float(np.quantile(np.where(defined, resamples, -np.inf), _TAIL, method="lower"))
    high = float(np.quantile(np.where(defined, resamples, np.inf), 1 - _TAIL, method="higher"))
    lost = "" if defined.all() else f"{1 - defined.mean():.1%} of the resamples: {undefined}"
    if not np.isfinite([low, high]).all():
        return replace(value, value=number, note=f"no interval, as in {lost}")
    error = float(np.std(resamples[defined], ddof=1))
    note = lost and f"counted beyond both ends of the interval: {lost}"
    if np.allclose(resamples, number, rtol=1e-12, atol=0):
        unseen = 1 - (2 * _TAIL) ** (1 / value.n)  # the rule of three, exactly
        note = f"all resamples agree: what up to {unseen:.1%} of all images do may be unseen"
    return replace(value, value=number, low=low, high=high, error=error, note=note)
