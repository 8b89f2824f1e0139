"""From the masks of several prompts to the versions of an image's object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.format.masks import Mask
from producers.backends import Detection

KEPT = ("all", "best")
"""Which versions may be kept."""


@dataclass(frozen=True, kw_only=True)
class Merging:
    """A way in which the masks of several prompts become versions.

    Attributes:
        threshold: intersection over union above which two prompts have found the same object, 0 to 1.
        keep: "all" versions that differ; or the "best" one, which unites the two prompts that agree most.
    """

    threshold: float = 0.9
    keep: str = "all"

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise ConfigurationError(explain("the threshold of merging", found=self.threshold, allowed="0 to 1"))
        if self.keep not in KEPT:
            raise ConfigurationError(explain("which versions to keep", found=self.keep, allowed=" or ".join(KEPT)))


@dataclass(frozen=True)
class Version:
    """One way to cut the object out.

    Attributes:
        mask: of the object, not empty.
        prompt: the most confident one of those that found it.
        score: the best of the detections in it, 0 to 1.
    """

    mask: Mask
    prompt: str
    score: float


def versions(detections: Sequence[Detection], masks: Sequence[Mask], merging: Merging | None = None) -> list[Version]:
    """Return the distinct objects that an image's prompts have found, the most confident first.

    The detections are sorted by their score; equal ones stay in the order of the prompts. All masks of one prompt
    are united, then those of different prompts that are the same object, until no two are.

    Args:
        detections: in the order of the prompts.
        masks: one for each detection; empty ones count as not found.
        merging: by default all versions that overlap by at most 0.9.
    """
    merging = merging or Merging()
    by_prompt: dict[str, Version] = {}
    found = sorted(zip(detections, masks, strict=True), key=lambda pair: -pair[0].score)
    for detection, mask in found:
        if mask.any():
            version = Version(mask, detection.prompt, detection.score)
            known = by_prompt.get(detection.prompt)
            by_prompt[detection.prompt] = _united(known, version) if known else version
    distinct = list(by_prompt.values())
    return _best(distinct) if merging.keep == "best" else _merged(distinct, merging.threshold)


def _merged(versions: list[Version], threshold: float) -> list[Version]:
    """Return them with the first two that are the same object united, again and again until no two are."""
    for first, second in combinations(range(len(versions)), 2):
        if overlap(versions[first].mask, versions[second].mask) > threshold:
            rest = versions[:second] + versions[second + 1 :]
            rest[first] = _united(versions[first], versions[second])
            return _merged(rest, threshold)
    return versions


def _best(versions: list[Version]) -> list[Version]:
    """Return the union of the two that overlap most; the first one where none overlap."""
    pairs = [pair for pair in combinations(versions, 2) if overlap(pair[0].mask, pair[1].mask)]
    if not pairs:
        return versions[:1]
    return [_united(*max(pairs, key=lambda pair: overlap(pair[0].mask, pair[1].mask)))]


def _united(first: Version, second: Version) -> Version:
    """Return both as one, under the name and with the score of the first, which is not the less confident."""
    return replace(first, mask=first.mask | second.mask)


def overlap(first: Mask, second: Mask) -> float:
    """Return the intersection over union, 0 to 1; 0 for two empty masks."""
    union = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / union if union else 0.0
