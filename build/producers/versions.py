"""From the masks of several prompts to the versions of a picture's object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fornet_hf.masks import Mask
from producers.backends import Detection

SAME = 0.9  # intersection over union above which two prompts have found the same object


@dataclass(frozen=True)
class Version:
    """One way to cut the object out.

    Attributes:
        mask: of the object, not empty.
        prompt: the first one that found it.
        score: the best of the detections in it, 0 to 1.
    """

    mask: Mask
    prompt: str
    score: float


def versions(detections: Sequence[Detection], masks: Sequence[Mask]) -> list[Version]:
    """The distinct objects that a picture's prompts have found, in the order of the prompts.

    All masks of one prompt are united; those of different prompts where they agree by more than `SAME`.

    Args:
        detections: in the order of the prompts.
        masks: one for each detection; empty ones count as not found.
    """
    by_prompt: dict[str, Version] = {}
    for detection, mask in zip(detections, masks, strict=True):
        if mask.any():
            found = Version(mask, detection.prompt, detection.score)
            known = by_prompt.get(detection.prompt)
            by_prompt[detection.prompt] = _united(known, found) if known else found
    distinct: list[Version] = []
    for version in by_prompt.values():
        same = next((i for i, other in enumerate(distinct) if overlap(other.mask, version.mask) > SAME), None)
        if same is None:
            distinct.append(version)
        else:
            distinct[same] = _united(distinct[same], version)
    return distinct


def _united(first: Version, second: Version) -> Version:
    return replace(first, mask=first.mask | second.mask, score=max(first.score, second.score))


def overlap(first: Mask, second: Mask) -> float:
    """Intersection over union, 0 to 1; 0 for two empty masks."""
    union = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / union if union else 0.0
