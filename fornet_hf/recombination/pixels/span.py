"""One axis of a scaling, begun at a whole pixel of the source.

Where an object is cut off by the crop, the part that shows begins between two pixels of the source, and the fast
kernel only starts at whole ones. A few pixels of the output earlier the two grids nearly meet: scaling begins there,
and what is too much is cut off.
"""

from __future__ import annotations

import math
from typing import NamedTuple

_EARLIER = 16  # pixels of the output
_TO_THE_EDGE = 48  # pixels of the output: as far it is worth to begin at the object's own edge
_CLOSE = 0.05  # of a pixel of the output
_ERROR = 0.25  # of a pixel of the output, by which a part may be moved
_AT_THE_EDGE = 0.3  # of a pixel of the output: as near to its edge an object counts as whole


class Span(NamedTuple):
    """Pixels that are scaled along one axis.

    Attributes:
        first: first pixel of the source that is seen.
        last: the pixel after the last one.
        start: where the output begins, in pixels of the source from `first`.
        step: pixels of the source per pixel of the output.
        output: pixels of the output.
        surplus: pixels of the output that lie between `first` and `start`; None where that is no whole number.
    """

    first: int
    last: int
    start: float
    step: float
    output: int
    surplus: int | None

    @classmethod
    def of(cls, start: float, end: float, output: int, limits: tuple[float, float], support: int = 1) -> Span:
        """Scale the source from `start` to `end` to `output` pixels; nothing beyond `limits` is seen.

        `support` is the filter's, in pixels of whichever grid is coarser.

        A start or end within 0.3 pixels of the output from a limit is taken for it, and rounded to a whole pixel.
        Any other start is moved by at most a quarter of a pixel of the output (`surplus` is None if no such start is
        a whole number of pixels away).
        """
        low = min(round(limits[0]), math.ceil(limits[1]) - 1)
        high = max(round(limits[1]), low + 1)
        step = (end - start) / output
        meeting = (0, low) if start - limits[0] <= _AT_THE_EDGE * step else _meeting(start, step, low)
        if meeting is None:
            return cls._exact(start, step, output, (low, high), support)
        surplus, first = meeting
        reach = first + (surplus + output) * step
        last = min(high, math.ceil(reach + support * max(step, 1.0)))  # the filter sees that far
        if reach > high or limits[1] - end <= _AT_THE_EDGE * step:
            last, step = high, (high - first) / (surplus + output)
        return cls(first, last, surplus * step, step, output, surplus)

    @classmethod
    def _exact(cls, start: float, step: float, output: int, limits: tuple[int, int], support: int) -> Span:
        margin = support * max(step, 1.0)
        first = max(limits[0], math.floor(start - margin))
        last = min(limits[1], math.ceil(start + output * step + margin))
        return cls(first, last, start - first, min(step, (last - start) / output), output, None)

    def moved(self, by: int) -> Span:
        """Return the same on a source whose pixels have numbers higher by `by`."""
        return self._replace(first=self.first + by, last=self.last + by)


def _meeting(start: float, step: float, low: int) -> tuple[int, int] | None:
    """Find a pixel of the output that begins with one of the source: how many before the start, and the source's.

    The object's own edge where that is exact and near, else the nearest close meeting, else the closest.
    """
    to_the_edge = round((start - low) / step)
    if to_the_edge <= _TO_THE_EDGE and abs(start - to_the_edge * step - low) < 1e-6:
        return to_the_edge, low
    best, found = _ERROR * step, None
    for earlier in range(_EARLIER + 1):
        place = start - earlier * step
        first = round(place)
        if first < low or best < _CLOSE * step:
            break
        if abs(place - first) < best:
            best, found = abs(place - first), (earlier, first)
    return found
