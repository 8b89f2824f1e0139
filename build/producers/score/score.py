"""The score of a version of an image: classifiers should see the object, and nothing of it in the background."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

BEST_RATIO = 0.1  # of object to image
_LEAST = 1e-12  # of a probability, so that its logarithm is finite


@dataclass(frozen=True)
class Evidence:
    """The evidence of classifiers about one version.

    Attributes:
        foreground: mean probability of the true class on the cut-out, over greys and classifiers, 0 to 1.
        background: mean probability of the true class on the infilled background, over classifiers, 0 to 1.
    """

    foreground: float
    background: float


def score(evidence: Evidence, ratio: float, version: int, versions: int) -> float:
    """Return the score of the publication; higher is better.

    Args:
        evidence: of the classifiers.
        ratio: object area / image area, 0 to 1.
        version: its number, from 0; earlier ones are more confident detections.
        versions: how many the image has.
    """
    return (
        math.log(max(evidence.foreground, _LEAST))
        + math.log(max(1 - evidence.background, _LEAST))
        + 2 * math.log(max(1 - abs(ratio - BEST_RATIO), _LEAST))
        + 0.1 * math.log(1 - version / versions)
    )


def best(scores: Sequence[float]) -> int:
    """Return the index of the highest score; of equals the first."""
    return max(range(len(scores)), key=lambda index: scores[index])
