"""From the masks of several prompts to the versions of an image's object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.format.masks import Mask
from producers.scene import Cut

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


def versions(masks: Sequence[Cut], merging: Merging | None = None) -> list[Cut]:
    """Return the distinct objects that an image's prompts have found, the most confident first.

    The masks are sorted by their score; equal ones stay in the order of the prompts. All masks of one prompt
    are united, then those of different prompts that are the same object, until no two are.

    Args:
        masks: in the order of the prompts; empty ones count as not found.
        merging: by default all versions that overlap by at most 0.9.
    """
    merging = merging or Merging()
    by_prompt: dict[str, Cut] = {}
    for cut in sorted(masks, key=lambda one: -one.score):
        if cut.mask.any():
            known = by_prompt.get(cut.prompt)
            by_prompt[cut.prompt] = _united(known, cut) if known else cut
    distinct = list(by_prompt.values())
    return _best(distinct) if merging.keep == "best" else merged(distinct, merging.threshold)


def merged(versions: list[Cut], threshold: float) -> list[Cut]:
    """Return them with the first two that are the same object united, again and again until no two are."""
    for first, second in combinations(range(len(versions)), 2):
        if overlap(versions[first].mask, versions[second].mask) > threshold:
            rest = versions[:second] + versions[second + 1 :]
            rest[first] = _united(versions[first], versions[second])
            return merged(rest, threshold)
    return versions


def _best(versions: list[Cut]) -> list[Cut]:
    """Return the union of the two that overlap most; the first one where none overlap."""
    pairs = [pair for pair in combinations(versions, 2) if overlap(pair[0].mask, pair[1].mask)]
    if not pairs:
        return versions[:1]
    return [_united(*max(pairs, key=lambda pair: overlap(pair[0].mask, pair[1].mask)))]


def _united(first: Cut, second: Cut) -> Cut:
    """Return both as one, under the name and with the score of the first, which is not the less confident."""
    maps = [cut.soft for cut in (first, second) if cut.soft is not None]
    return replace(first, mask=first.mask | second.mask, soft=np.maximum.reduce(maps) if maps else None)


def overlap(first: Mask, second: Mask) -> float:
    """Return the intersection over union, 0 to 1; 0 for two empty masks."""
    union = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / union if union else 0.0
