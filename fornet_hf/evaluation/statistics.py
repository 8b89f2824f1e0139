"""Standard errors and intervals: source images are resampled, together with all that was made of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fornet_hf.evaluation.values import Value

Means = npt.NDArray[np.float64]
Statistic = Callable[[Means], Any]


def mean(means: Means) -> Means:
    """Return the only column's mean: the simplest statistic."""
    return means[..., 0]


@dataclass(frozen=True)
class Bootstrap:
    """Paired resampling of source images.

    Attributes:
        seed: of the generator.
        resamples: how many.
    """

    seed: int = 0
    resamples: int = 1000

    def estimate(
        self,
        measure: str,
        samples: npt.NDArray[np.float64],
        sources: Sequence[str],
        statistic: Statistic = mean,
        *,
        part: str = "",
        left_out: Mapping[str, int] | None = None,
    ) -> Value:
        """Return a statistic of the columns' means, with standard error and percentile interval.

        Args:
            measure: name for the value.
            samples: items x columns, e.g. 1 for right and 0 for wrong answers in each condition.
            sources: source image of each item.
            statistic: maps means (... x columns) to numbers (...); not finite: not defined.
            part: likewise.
            left_out: items that are not among the samples, by reason.
        """
        raise NotImplementedError
