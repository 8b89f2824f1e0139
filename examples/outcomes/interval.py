"""The mean over the seeds of an experiment, and its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

_T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
"""Student's t for an interval of 95 %, by the number of seeds."""


def interval(values: Sequence[float | None]) -> tuple[float, float] | None:
    """Return the mean and half its interval of 95 % (Student's t).

    One value alone has the interval NaN; there is none where a value is not defined.
    """
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    half = _T.get(len(known), 1.96) * stdev(known) / math.sqrt(len(known)) if len(known) > 1 else math.nan
    return fmean(known), half


def written(values: Sequence[float | None]) -> str:
    """Return the cell of a table: mean and half the interval."""
    found = interval(values)
    if found is None:
        return "not defined"
    mean, half = found
    return f"{mean:.2f}" if math.isnan(half) else f"{mean:.2f} ± {half:.2f}"
