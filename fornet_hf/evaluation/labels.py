"""From a classifier's outputs to the classes of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class LabelMap:
    """The class of the data for each output of a classifier.

    Attributes:
        classes: int32, a number for each output; -1: none of the data's classes.
    """

    classes: npt.NDArray[np.int32]
