"""CLUB with a given conditional: an upper bound of the information of x and y, in nats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fornet_hf.evaluation.independence.partners import Rows

Floats = npt.NDArray[np.float64]
LogConditional = Callable[[npt.NDArray[Any], npt.NDArray[Any]], Floats]


def club(log_conditional: LogConditional, x: npt.NDArray[Any], y: npt.NDArray[Any], partners: Rows) -> Floats:
    """Return each row's share in the bound: float64, one a row; their mean is the bound.

    It is ln q(y|x) of the row, less its mean over the y of partners (Cheng et al. 2020,
    https://arxiv.org/abs/2006.12013). If q is the true conditional the expectation is no lower than the information;
    with another q it is a score, such as the closed form.

    Args:
        log_conditional: ln q(y|x), in nats, one number for each row of x and y; what depends on x alone may be left
            out of it.
        x: rows x ...
        y: rows x ...; row i belongs to row i of x.
        partners: rows x count, of `drawn_partners`.
    """
    others = [log_conditional(x, y[one]) for one in partners.T]
    shares: Floats = log_conditional(x, y) - np.mean(others, axis=0)
    return shares
