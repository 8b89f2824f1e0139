"""Looking into one patch shard: does it follow the format, and what is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from fornet_hf.errors import PatchFormatError, explain
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.manifest import ShardEntry
from fornet_hf.format.shards import PatchShard

BINS = 20  # of the histogram of foreground_ratio, over 0 to 1


@dataclass(frozen=True, kw_only=True)
class ShardFacts:
    """What is in one shard, or in several together.

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


def open_shard(file: BinaryIO | Path, entry: ShardEntry, encoding: Encoding) -> PatchShard:
    """A shard whose columns, settings and number of rows are checked, and whose keys are unique.

    Raises:
        PatchFormatError: it is not the shard that the manifest describes.
    """
    shard = PatchShard(file, entry.path)
    if shard.encoding != encoding:
        what = f"{entry.path}: made with other settings than the manifest says"
        raise PatchFormatError(explain(what, found=shard.encoding, allowed=encoding))
    if len(shard) != entry.rows:
        what = f"{entry.path}: another number of rows than the manifest says"
        raise PatchFormatError(explain(what, found=len(shard), allowed=entry.rows))
    return shard


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
        if patch.label >= classes:
            what = f"{shard.place(row)}: label"
            raise PatchFormatError(explain(what, found=patch.label, allowed=f"0 to {classes - 1}"))
        labels[patch.label] += 1
        backgrounds += patch.delta is not None
        if patch.mask is not None:
            ratios.append(patch.foreground_ratio)
    return ShardFacts(
        rows=len(shard),
        foregrounds=len(ratios),
        backgrounds=backgrounds,
        bytes=entry.bytes,
        labels=labels,
        histogram=_histogram(ratios),
        ratio_sum=sum(ratios),
    )


def _histogram(ratios: Sequence[float]) -> tuple[int, ...]:
    counts = Counter(min(int(ratio * BINS), BINS - 1) for ratio in ratios)
    return tuple(counts[step] for step in range(BINS))
