"""The pace of work that several processes do, some of them at the same time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

RECENT = 3600.0  # seconds that count as the recent pace
PAUSE = 600.0  # seconds without any work that end it: somebody stopped the run


class Stretch(NamedTuple):
    """Work on one shard: when it began and ended, seconds since 1970, and how many images were done meanwhile."""

    begin: float
    end: float
    images: int


def together(stretches: Iterable[Stretch], gap: float = 0.0) -> Iterator[tuple[float, float]]:
    """Yield begin and end of each time in which somebody worked, apart from gaps up to so many seconds."""
    begin = end = None
    for one in sorted(stretches):
        if begin is None or end is None:
            begin, end = one.begin, one.end
        elif one.begin > end + gap:
            yield begin, end
            begin, end = one.begin, one.end
        else:
            end = max(end, one.end)
    if begin is not None and end is not None:
        yield begin, end


def recent(stretches: Iterable[Stretch]) -> tuple[float, float]:
    """Return begin and end of the last uninterrupted work, at most an hour of it; (0, 0) if there is none."""
    *_, (begin, end) = (0.0, 0.0), *together(stretches, PAUSE)
    return max(begin, end - RECENT), end


def rate(stretches: Iterable[Stretch], begin: float, end: float) -> float:
    """Return images an hour between two times; those of a shard count evenly over the time that it took."""
    images = 0.0
    for one in stretches:
        shared = min(one.end, end) - max(one.begin, begin)
        if shared > 0:
            images += one.images * shared / (one.end - one.begin)
    return 3600 * images / (end - begin) if end > begin else 0.0


def average(stretches: Iterable[Stretch]) -> float:
    """Return images an hour while anybody worked; 0 if nobody has."""
    known = list(stretches)
    seconds = sum(end - begin for begin, end in together(known))
    return 3600 * sum(one.images for one in known) / seconds if seconds else 0.0
