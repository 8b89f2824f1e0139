"""Partners: rows of the same group, whose content stands for content that has nothing to do with a row's own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fornet_hf.arguments import positive, require

Rows = npt.NDArray[np.int64]


def drawn_partners(groups: Sequence[str] | Sequence[int], count: int, generator: np.random.Generator) -> Rows:
    """Return the partners of each row: int64, rows x count, from 0; never the row itself.

    The rows of a group stand in a circle in a drawn order, and the partners of each are the next ones. So the
    partners of a row differ as long as the group has more than `count` rows, after which they come again; and each
    row is a partner as often as any other of its group, so that none weighs more in a mean over partners.

    Args:
        groups: of each row, e.g. its class; all alike: partners come from all rows.
        count: partners of a row, 1 or more.
        generator: draws the orders.

    Raises:
        ConfigurationError: a group has one row only, or the count is below 1.
    """
    positive("count", count)
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    partners = np.empty((len(group), count), np.int64)
    for number, name in enumerate(names):
        circle = generator.permutation(np.flatnonzero(group == number))
        size = len(circle)
        require(size > 1, "a group of one row", name.item(), "2 rows or more, as its partners come from it")
        steps = 1 + np.arange(count) % (size - 1)
        partners[circle] = circle[(np.arange(size)[:, None] + steps) % size]
    return partners
