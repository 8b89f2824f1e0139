"""Measuring a set: a sample first, which is the control, and then all rows against it, in worker processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TypeVar

import numpy as np

from fornet_hf.evaluation.leakage.betrayal import PARTS, Control, Scores
from fornet_hf.evaluation.leakage.portions import Portion
from fornet_hf.evaluation.leakage.squares import Squares, square_of
from fornet_hf.processes import each_done, max_workers
from fornet_hf.progress import progress

Made = TypeVar("Made")
SAMPLE = 1024
"""Images of the control, if the set has so many."""
SHOWN = 12
"""Images that are kept for a contact sheet."""
_TOGETHER = 256  # squares in memory at a time


@dataclass(frozen=True, kw_only=True)
class Leakage:
    """The scores of a set's images.

    Attributes:
        keys: of the images.
        labels: index of the class of each.
        parts: area and rim of each: float64, n x 2; 0 is the mean of shuffled pairs.
        scores: of both together, in standard deviations of shuffled pairs.
        left_out: images without a score, by reason.
        control: what they were scored against.
        sample: the squares that it follows from.
        worst: squares of the images with the highest scores, the highest first.
    """

    keys: Sequence[str]
    labels: Sequence[int]
    parts: Scores
    scores: Scores
    left_out: Mapping[str, int]
    control: Control
    sample: Squares
    worst: Squares


@dataclass(frozen=True, kw_only=True)
class _Judged:
    """The scores of a portion, and its worst squares."""

    keys: Sequence[str]
    labels: Sequence[int]
    parts: Scores
    left_out: Counter[str]
    worst: Squares


def measured(
    portions: Sequence[Portion], *, seed: int = 0, sample: int = SAMPLE, workers: int | None = None
) -> Leakage:
    """Return the scores of all rows of some portions.

    The first rows of each portion are the sample; they are read twice.

    Args:
        portions: of a set.
        seed: of the shuffled pairs.
        sample: images in the sample, 8 or more; from small portions fewer.
        workers: processes; None: MAX_WORKERS, or the CPUs.

    Raises:
        ConfigurationError: fewer than 8 images have both parts.
        ForNetError: rows cannot be read.
    """
    workers = workers or max_workers()
    each = max(1, -(-sample // max(1, len(portions))))
    first = _in_order(partial(_first, each), portions, workers, "Reading a sample")
    squares = Squares.joined(first)
    control = Control.of(squares, seed)
    judged = _in_order(partial(_judge, control), portions, workers, "Scoring backgrounds")
    parts = np.concatenate([one.parts for one in judged])
    keys = [key for one in judged for key in one.keys]
    return Leakage(
        keys=keys,
        labels=[label for one in judged for label in one.labels],
        parts=parts,
        scores=control.scores(parts),
        left_out=dict(sum((one.left_out for one in judged), Counter[str]())),
        control=control,
        sample=squares,
        worst=_worst(control, Squares.joined(one.worst for one in judged)),
    )


def _in_order(work: Callable[[Portion], Made], portions: Sequence[Portion], workers: int, what: str) -> list[Made]:
    """Return what becomes of each portion, in their order."""
    done = each_done(partial(_of_portion, work), list(enumerate(portions)), workers)
    found = {number: made for (number, _), made in progress(done, what, " portions", len(portions))}
    return [found[number] for number in range(len(portions))]


def _of_portion(work: Callable[[Portion], Made], numbered: tuple[int, Portion]) -> Made:
    return work(numbered[1])


def _first(count: int, portion: Portion) -> Squares:
    """Return the squares of a portion's first rows."""
    return Squares.joined(islice(_squares(portion, Counter()), count))


def _judge(control: Control, portion: Portion) -> _Judged:
    """Score a portion, a few squares at a time."""
    left_out: Counter[str] = Counter()
    squares, found, worst = _squares(portion, left_out), [np.zeros((0, len(PARTS)))], Squares.joined([])
    keys: list[str] = []
    labels: list[int] = []
    while some := list(islice(squares, _TOGETHER)):
        together = Squares.joined(some)
        found.append(control.parts(together))
        keys.extend(together.keys)
        labels.extend(together.labels)
        worst = _worst(control, Squares.joined([worst, together]))
    return _Judged(keys=keys, labels=labels, parts=np.concatenate(found), left_out=left_out, worst=worst)


def _worst(control: Control, squares: Squares) -> Squares:
    """Return the squares with the highest scores, the highest first."""
    order = np.argsort(-control.scores(control.parts(squares)), kind="stable")
    return squares.at(order[:SHOWN].tolist())


def _squares(portion: Portion, left_out: Counter[str]) -> Iterator[Squares]:
    """Yield the squares of a portion's rows; count those that have none."""
    for row in portion.rows():
        square = square_of(row)
        if isinstance(square, str):
            left_out[square] += 1
        else:
            yield square
