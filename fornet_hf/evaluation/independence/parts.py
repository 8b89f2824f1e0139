"""Rows divided: into parts that score each other's critics, and into blocks that are compared among themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fornet_hf.evaluation.independence.partners import Rows

_KEPT = 5  # of as many rows one is kept for stopping


def members(groups: npt.NDArray[Any], rows: Rows | None = None) -> list[Rows]:
    """Return the rows of each group, int64, in the order of the groups' names.

    Args:
        groups: group of each row.
        rows: the only ones to return; None: all.
    """
    rows = np.arange(len(groups)) if rows is None else rows
    group = np.unique(groups[rows], return_inverse=True)[1]
    return np.split(rows[np.argsort(group, kind="stable")], np.cumsum(np.bincount(group))[:-1])


def divided(groups: Sequence[Rows], folds: int, generator: np.random.Generator) -> list[tuple[Rows, Rows, Rows]]:
    """Return how rows are divided, once for each fold: rows to learn from, rows kept for stopping, rows to score.

    Each row is scored once. A group's rows are spread evenly, in a drawn order.

    Args:
        groups: the rows of each.
        folds: how many parts, 2 or more; `folds` rows of a group bring one row to each.
        generator: draws the orders.
    """
    rows = np.concatenate([generator.permutation(group) for group in groups])
    ranks = np.concatenate([np.arange(len(group)) for group in groups])
    part, kept = ranks % folds, ranks // folds % _KEPT == _KEPT - 1
    return [(rows[(part != fold) & ~kept], rows[(part != fold) & kept], rows[part == fold]) for fold in range(folds)]


def blocks(groups: Iterable[Rows], size: int, generator: np.random.Generator) -> list[Rows]:
    """Return rows in blocks of 2 to `size` of one group each, in a drawn order; a group's only row is in none.

    Args:
        groups: the rows of each.
        size: 3 or more.
        generator: draws the orders.
    """
    drawn = [generator.permutation(group) for group in groups if len(group) > 1]
    found = [block for group in drawn for block in np.array_split(group, -(-len(group) // size))]
    return [found[number] for number in generator.permutation(len(found))]
