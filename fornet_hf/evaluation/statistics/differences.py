"""Differences of two models' values, from the same resamples of the source images that both were measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fornet_hf.evaluation.statistics.bootstrap import Bootstrap, source_totals
from fornet_hf.evaluation.statistics.values import Evidence, Means, Statistic, Value

ONE_ONLY = "shown to one of the two models only"
NOT_DEFINED = "one of the models has no such number"


def difference(value: Value, other: Value, bootstrap: Bootstrap) -> Value:
    """Return one value less another; see `differences`."""
    return differences([(value, other)], bootstrap)[0]


def differences(pairs: Sequence[tuple[Value, Value]], bootstrap: Bootstrap) -> list[Value]:
    """Return the first value of each pair less the second.

    Both statistics are those of the source images that both values come from, and are resampled together, so the
    interval is narrower than those of the two values suggest: what makes an image hard for both models cancels.
    Source images of one value alone are counted in `left_out`.

    Args:
        pairs: values with evidence, or without a number: these have no difference.
        bootstrap: seed and number of resamples.
    """
    found: dict[int, Value] = {}
    alike: dict[tuple[int, int], list[tuple[int, Evidence, Evidence]]] = {}  # of the same samples: resampled once
    for number, (value, other) in enumerate(pairs):
        one, two = value.evidence, other.evidence
        if value.value is None or other.value is None or one is None or two is None:
            n, note = min(value.n, other.n), NOT_DEFINED
            found[number] = Value(measure=value.measure, part=value.part, value=None, n=n, note=note)
        else:
            alike.setdefault((id(one.samples), id(two.samples)), []).append((number, one, two))
    for group in alike.values():
        sources, totals, left_out = _shared(*group[0][1:])
        columns = group[0][1].samples.shape[1] + 1
        statistics = {str(number): _less(one.statistic, two.statistic, columns) for number, one, two in group}
        made = bootstrap.estimates(
            "difference", totals, sources, statistics, left_out=left_out, undefined=NOT_DEFINED
        )
        for (number, *_), value in zip(group, made, strict=True):
            found[number] = replace(value, measure=pairs[number][0].measure, part=pairs[number][0].part)
    return [found[number] for number in range(len(pairs))]


def _shared(one: Evidence, other: Evidence) -> tuple[Sequence[str], Means, dict[str, int]]:
    """Return the source images of both; of each the sums of all columns of both; and how many are of one alone."""
    names, totals = source_totals(one.samples, one.sources)
    others, other_totals = source_totals(other.samples, other.sources)
    shared, mine, theirs = np.intersect1d(names, others, assume_unique=True, return_indices=True)
    alone = len(names) + len(others) - 2 * len(shared)
    return shared.tolist(), np.hstack([totals[mine], other_totals[theirs]]), {ONE_ONLY: alone} if alone else {}


def _less(one: Statistic, other: Statistic, columns: int) -> Statistic:
    """Return the difference of two statistics, of sums over source images; in the last column of each, the items."""

    def less(means: Means) -> Means:
        first, second = means[..., :columns], means[..., columns:]
        return one(first[..., :-1] / first[..., -1:]) - other(second[..., :-1] / second[..., -1:])

    return less
