"""Numbers as people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fornet_hf.evaluation.statistics.values import Value

UNDEFINED = "not defined"


@dataclass(frozen=True)
class Unit:
    """Manner of writing a number.

    Attributes:
        factor: on the number.
        decimals: after the point.
        suffix: behind it.
    """

    factor: float
    decimals: int
    suffix: str = ""

    def bare(self, number: float) -> str:
        """Return the number without its suffix; a true minus, and no minus before nothing."""
        written = f"{number * self.factor:.{self.decimals}f}"
        return written.replace("-", "\u2212") if float(written) else written.lstrip("-")

    def tick(self, number: float) -> str:
        """Return the number as an axis has it, without needless decimals."""
        return f"{number * self.factor:.4g}".replace("-", "\u2212")

    def full(self, number: float | None) -> str:
        """Return the number, or that it is not defined."""
        return UNDEFINED if number is None else self.bare(number) + self.suffix

    def interval(self, value: Value) -> str:
        """Return the interval of 95 %, empty where there is none."""
        if value.low is None or value.high is None:
            return ""
        return f"{self.bare(value.low)} to {self.bare(value.high)}"

    def sentence(self, value: Value) -> str:
        """Return number and interval in one."""
        interval = self.interval(value)
        return self.full(value.value) + (f" (95 % interval {interval})" if interval else "")


PERCENT = Unit(100, 1, "\u00a0%")
POINTS = Unit(100, 1, " points")
RATIO = Unit(1, 2)


def ticks(low: float, high: float, count: int = 5) -> Sequence[float]:
    """Return about `count` round numbers, the first at most `low` and the last at least `high`, two or more."""
    if high - low < 1e-6:
        low, high = low - 0.05 * (low > 0), low + 0.05
    span = high - low
    power = 10 ** math.floor(math.log10(span / count))
    step = next(power * nice for nice in (1, 2, 2.5, 5, 10) if span / (power * nice) <= count)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]
