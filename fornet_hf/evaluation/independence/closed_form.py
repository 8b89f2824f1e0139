"""The closed form: how much nearer content is to its own counterpart than to those of other rows; nothing is trained.

CLUB (Cheng et al. 2020, https://arxiv.org/abs/2006.12013) bounds the information of x and y from above by
E[log q(y|x)] over pairs that belong together, less the same over pairs that do not, where q is the true conditional.
ILSGAN (Zou et al. 2023, https://arxiv.org/abs/2211.13974) puts a Laplace or a normal distribution around x in the
place of q. That is no bound but a score: 0 where x and y are independent, above 0 where y resembles its own x.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from fornet_hf.arguments import require
from fornet_hf.evaluation.independence.partners import Rows

Floats = npt.NDArray[np.float64]
Content = npt.NDArray[np.floating] | npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

DISTANCES: Mapping[str, Callable[[Floats], Floats]] = {
    "laplace": np.abs,
    "gaussian": lambda differences: 0.5 * differences**2,
}
"""What a difference of two numbers counts, by kind: minus the logarithm of q, less what no pair changes."""


def scores(shown: Content, hidden: Content, masks: Bools, partners: Rows, *, kind: str = "laplace") -> Floats:
    """Return how much each row's hidden content gives away of what is shown in its mask: float64, one a row.

    It is the mean distance of the partners' hidden content to the shown content, less that of the row's own, where a
    distance is the mean over the numbers in the row's own mask. So whole layers are shuffled and the mask stays: it
    is part of what is shown. Layers that were cut out by their masks before would be told apart by those masks.

    Of layers of which both are known everywhere, `scores(foregrounds, backgrounds, masks, ...)` is of the visible
    foreground, and `scores(backgrounds, foregrounds, ~masks, ...)` of the visible background.

    Args:
        shown: rows x places, or rows x height x width; then channels, if any. Memory maps are read row by row.
        hidden: likewise, known everywhere, not only in the masks.
        masks: rows x places, or rows x height x width: where what is shown is seen.
        partners: rows x count, of `drawn_partners`.
        kind: "laplace": absolute differences; "gaussian": half of squared ones.

    Returns:
        Scores in the units of the content (squared ones if "gaussian"); NaN where a mask is empty.

    Raises:
        ConfigurationError: there is no such kind, or the shapes do not fit each other.
    """
    require(kind in DISTANCES, "kind", kind, " or ".join(DISTANCES))
    require(
        hidden.shape == shown.shape, "shape of what is hidden", hidden.shape, f"{shown.shape}, as of what is shown"
    )
    fits = masks.dtype == np.bool_ and masks.ndim >= 2 and masks.shape == shown.shape[: masks.ndim]
    require(fits, "type or shape of masks", f"{masks.dtype} {masks.shape}", f"bool, the first sides of {shown.shape}")
    fits = partners.ndim == 2 and len(partners) == len(shown) and partners.shape[1] > 0
    require(fits, "shape of partners", partners.shape, f"{len(shown)} rows, each with 1 partner or more")
    return np.array([_score(shown, hidden, masks, partners, row, kind) for row in range(len(shown))], np.float64)


def _score(shown: Content, hidden: Content, masks: Bools, partners: Rows, row: int, kind: str) -> float:
    inside = masks[row]
    if not inside.any():
        return float("nan")
    seen = shown[row][inside].astype(np.float64)

    def distance(other: int) -> float:
        return float(DISTANCES[kind](hidden[other][inside] - seen).mean())

    return float(np.mean([distance(other) for other in partners[row]])) - distance(row)
