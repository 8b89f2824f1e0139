"""Small pairs on a disk: decoded once by all workers, then read at random from memory that the disk backs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fornet_hf.errors import ConfigurationError, NotFoundError, SourceError, explain
from fornet_hf.processes import max_workers
from fornet_hf.progress import progress
from fornet_hf.recombination.draw.rng import Uniforms
from producers.pairs.reading import Pairs
from producers.pairs.sizes import Pair, shorter_side
from producers.segment.networks.card import LONGEST
from producers.training.ahead import ahead
from producers.training.arrays import ArrayStore, Index

Layers = npt.NDArray[np.uint8]  # height x width x 4: red, green, blue, and 255 where the object is

TRAIN, VALIDATION = "train", "validation"
_AHEAD = 4  # pairs for each thread that are being read


class PairStore(ArrayStore):
    """Small pairs in a folder: `pairs.bin` has all their layers, `pairs.json` says where they lie."""

    name = "pairs"
    channels = 4

    @cached_property
    def splits(self) -> Mapping[str, npt.NDArray[np.int64]]:
        """The pairs of each split."""
        splits = np.array(self.index["splits"])
        return {split: np.flatnonzero(splits == split) for split in (TRAIN, VALIDATION)}

    def layers(self, number: int) -> Layers:
        """Return a pair; its bytes are read when they are looked at."""
        return self.array(number)


def make_store(
    folder: Path, request: Mapping[str, Any], chosen: Sequence[tuple[Pairs, Mapping[int, str]]], side: int
) -> PairStore:
    """Decode pairs and write them; what cannot be used is counted.

    Args:
        folder: of the files.
        request: what `PairStore.opened` is to know it by.
        chosen: of each set of pairs the indices, with their splits.
        side: shorter side of the images, pixels.

    Raises:
        ConfigurationError: a split has none that can be used.
        ForNetError: a shard of masks is damaged.
        StorageError: the disk is full.
    """
    uses = Counter(one for _, numbers in chosen for one in numbers.values())
    return PairStore.made(folder, request, _decoded(chosen, side), partial(_check, uses))


def _check(uses: Mapping[str, int], index: Index) -> None:
    for split in (TRAIN, VALIDATION):
        if split not in index.get("splits", ()):
            counted = ", ".join(f"{count} {reason}" for reason, count in index["lost"].items()) or "none"
            found = f"{uses[TRAIN]} for {TRAIN}, {uses[VALIDATION]} for {VALIDATION}, left out of them: {counted}"
            then = "Look at --validation and --validate, too; those of a test split are for neither."
            what = f"no pairs for {split} can be used"
            raise ConfigurationError(explain(what, found=found, allowed="1 or more", then=then))


def _decoded(
    chosen: Sequence[tuple[Pairs, Mapping[int, str]]], side: int
) -> Iterator[tuple[Mapping[str, str], Layers | str]]:
    """Yield key and split, and the layers or why there are none, in the order of the files."""
    workers = max_workers()
    found = ((pairs, splits, one) for pairs, splits in chosen for one in pairs.readers([*splits]))
    total = sum(len(splits) for _, splits in chosen)
    jobs = (
        partial(_named, {"keys": pairs.keys[index], "splits": splits[index]}, read, side)
        for pairs, splits, (index, read) in progress(found, "reading pairs", "pairs", total)
    )
    yield from ahead(jobs, workers, _AHEAD * workers)


def _named(names: Mapping[str, str], read: Callable[[], Pair], side: int) -> tuple[Mapping[str, str], Layers | str]:
    return names, small(read, side)


def small(read: Callable[[], Pair], side: int) -> Layers | str:
    """Return the layers of a pair, or a reason and what it says: damaged, gone, or without an object."""
    try:
        raster, mask = read().at(shorter_side(side, LONGEST * side))
    except (SourceError, NotFoundError) as error:
        return f"cannot be used: {error}"
    if not mask.any():
        return "without an object"
    return np.dstack([raster, mask.view(np.uint8) * np.uint8(255)])


def split_pairs(
    pairs: Pairs, *, share: float, most: int | None, seed: int, only: str | None = None
) -> dict[int, str]:
    """Return which pairs are for training and which for validation; tests are for neither.

    Where the set itself has a split for validation that is it; else a share of the pairs, each by its own name, so
    that a set that grows keeps those that it held back.

    Args:
        pairs: all there are.
        share: for validation, 0 to 1.
        most: pairs, those with the lowest numbers drawn by name; None: all.
        seed: of what is drawn.
        only: what all are for: those of this split; for validation else the tests; else all.
    """
    draw, there = Uniforms(), {*pairs.splits}
    if only == VALIDATION:
        wanted = {only} & there or there - {TRAIN} or there
    else:
        wanted = there - {"test"} if only is None else {only} & there or there
    numbers = {
        index: draw.of(("pair", seed, key), 2)
        for index, (key, split) in enumerate(zip(pairs.keys, pairs.splits, strict=True))
        if split in wanted
    }
    kept = sorted(numbers, key=lambda index: (numbers[index][0], index))[:most]
    if only is not None:
        return dict.fromkeys(sorted(kept), only)
    if VALIDATION in there:
        held = {index for index in kept if pairs.splits[index] == VALIDATION}
    else:
        held = {index for index in kept if numbers[index][1] < share}
        held = held or {*sorted(kept, key=lambda index: numbers[index][1])[:1]}  # of a small set one at least
    return {index: VALIDATION if index in held else TRAIN for index in sorted(kept)}
