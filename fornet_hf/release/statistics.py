"""`statistics.json` beside the manifest: what is in a release, counted from the rows of its shards."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from fornet_hf.errors import PatchFormatError
from fornet_hf.format.manifest import ShardEntry
from fornet_hf.format.shards import PatchShard

STATISTICS = "statistics.json"
BINS = 20  # of the histogram of foreground_ratio, over 0 to 1


@dataclass(frozen=True, kw_only=True)
class ShardFacts:
    """Counts of one shard, or of several together.

    Attributes:
        rows: number of patches.
        foregrounds: how many of them have one.
        backgrounds: how many of them have one.
        bytes: size of the files.
        labels: number of rows by label.
        histogram: number of foregrounds by ratio, in 20 equal steps from 0 to 1; exactly 1 is in the last.
        ratio_sum: sum of the foregrounds' ratios.
    """

    rows: int = 0
    foregrounds: int = 0
    backgrounds: int = 0
    bytes: int = 0
    labels: Counter[int] = field(default_factory=Counter)
    histogram: tuple[int, ...] = (0,) * BINS
    ratio_sum: float = 0.0

    def __add__(self, other: ShardFacts) -> ShardFacts:
        return ShardFacts(
            rows=self.rows + other.rows,
            foregrounds=self.foregrounds + other.foregrounds,
            backgrounds=self.backgrounds + other.backgrounds,
            bytes=self.bytes + other.bytes,
            labels=self.labels + other.labels,
            histogram=tuple(a + b for a, b in zip(self.histogram, other.histogram, strict=True)),
            ratio_sum=self.ratio_sum + other.ratio_sum,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the figures of a split as the file has them."""
        counts = sorted(self.labels.values())
        return {
            "rows": self.rows,
            "foregrounds": self.foregrounds,
            "backgrounds": self.backgrounds,
            "bytes": self.bytes,
            "classes": len(counts),
            "rows_per_class": {"min": counts[0], "median": median(counts), "max": counts[-1]} if counts else None,
            "foreground_ratio": {
                "mean": round(self.ratio_sum / self.foregrounds, 6) if self.foregrounds else None,
                "edges": [round(step / BINS, 6) for step in range(BINS + 1)],
                "counts": list(self.histogram),
            },
        }


def read_facts(shard: PatchShard, entry: ShardEntry, classes: int) -> ShardFacts:
    """Read every row of a shard, and count.

    Args:
        shard: that was opened.
        entry: its entry in the manifest.
        classes: number of classes; labels are below it.

    Raises:
        PatchFormatError: with file, row and key: a row does not follow the format.
    """
    labels: Counter[int] = Counter()
    ratios: list[float] = []
    backgrounds = 0
    for row in range(len(shard)):
        patch = shard[row]
        try:
            patch.check_label(classes)
        except PatchFormatError as error:
            raise error.at(shard.place(row)) from error
        labels[patch.label] += 1
        backgrounds += patch.delta is not None
        if patch.mask is not None:
            ratios.append(patch.foreground_ratio)
    steps = Counter(min(int(ratio * BINS), BINS - 1) for ratio in ratios)
    return ShardFacts(
        rows=len(shard),
        foregrounds=len(ratios),
        backgrounds=backgrounds,
        bytes=entry.bytes,
        labels=labels,
        histogram=tuple(steps[step] for step in range(BINS)),
        ratio_sum=sum(ratios),
    )
