"""Small pairs on a disk: decoded once by all workers, then read at random from memory that the disk backs."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from fornet_hf.errors import ConfigurationError, IntegrityError, NotFoundError, SourceError, explain
from fornet_hf.files import atomic_path, write_text
from fornet_hf.processes import max_workers
from fornet_hf.progress import progress
from fornet_hf.recombination.draw.rng import Uniforms
from producers.pairs.reading import Pairs
from producers.pairs.sizes import Pair, shorter_side
from producers.segment.networks.card import LONGEST

Layers = npt.NDArray[np.uint8]  # height x width x 4: red, green, blue, and 255 where the object is

TRAIN, VALIDATION = "train", "validation"
_AHEAD = 4  # pairs for each thread that are being read
_SHOWN = 3  # reasons of each kind that are kept


@dataclass(frozen=True)
class PairStore:
    """Small pairs in a folder: `pairs.bin` has all their layers, `pairs.json` says where they lie.

    Attributes:
        folder: of the files.
        index: of `pairs.json`.
    """

    folder: Path
    index: Mapping[str, Any]

    @classmethod
    def opened(cls, folder: Path, request: Mapping[str, Any]) -> PairStore | None:
        """Return what was made for the same request; None: nothing was."""
        path = folder / "pairs.json"
        if not path.is_file():
            return None
        index = json.loads(path.read_text(encoding="utf-8"))
        if index["request"] != json.loads(json.dumps(request)):
            return None
        store = cls(folder, index)
        if (folder / "pairs.bin").stat().st_size != store.places[-1]:
            then = f"Delete {folder} to read the pairs anew."
            raise IntegrityError(explain(f"{folder / 'pairs.bin'}: not of the size that was written", then=then))
        return store

    @cached_property
    def places(self) -> npt.NDArray[np.int64]:
        """The first byte of each pair, and the number of all."""
        sizes = np.prod(np.array(self.index["shapes"], np.int64).reshape(-1, 2), axis=1) * 4
        return np.concatenate([[0], np.cumsum(sizes)])

    @cached_property
    def codes(self) -> npt.NDArray[np.uint8]:
        """All bytes."""
        return np.memmap(self.folder / "pairs.bin", np.uint8, "r")

    @cached_property
    def splits(self) -> Mapping[str, npt.NDArray[np.int64]]:
        """The pairs of each split."""
        splits = np.array(self.index["splits"])
        return {split: np.flatnonzero(splits == split) for split in (TRAIN, VALIDATION)}

    def shape(self, number: int) -> tuple[int, int]:
        """Return height and width of a pair."""
        height, width = self.index["shapes"][number]
        return height, width

    def layers(self, number: int) -> Layers:
        """Return a pair; its bytes are read when they are looked at."""
        return self.codes[self.places[number] : self.places[number + 1]].reshape(*self.shape(number), 4)

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "index": self.index}


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
    keys: list[str] = []
    splits: list[str] = []
    shapes: list[tuple[int, int]] = []
    lost: Counter[str] = Counter()
    examples: list[str] = []
    digest = hashlib.sha256()
    (folder / "pairs.json").unlink(missing_ok=True)  # of others, which `pairs.bin` is about to replace
    with atomic_path(folder / "pairs.bin") as temporary, temporary.open("wb") as file:
        for key, split, found in _decoded(chosen, side):
            if isinstance(found, str):
                reason, _, detail = found.partition(": ")
                if lost[reason] < _SHOWN:
                    examples.append(detail or key)
                lost[reason] += 1
                continue
            _append(file, digest, found)
            keys.append(key)
            splits.append(split)
            shapes.append((found.shape[0], found.shape[1]))
    for split in (TRAIN, VALIDATION):
        if split not in splits:
            uses = Counter(one for _, numbers in chosen for one in numbers.values())
            counted = ", ".join(f"{count} {reason}" for reason, count in lost.items()) or "none"
            found = f"{uses[TRAIN]} for {TRAIN}, {uses[VALIDATION]} for {VALIDATION}, left out of them: {counted}"
            then = "Look at --validation and --validate, too; those of a test split are for neither."
            what = f"no pairs for {split} can be used"
            raise ConfigurationError(explain(what, found=found, allowed="1 or more", then=then))
    index = {
        "request": request,
        "sha256": digest.hexdigest(),
        "lost": dict(lost),
        "examples": examples,
        "keys": keys,
        "splits": splits,
        "shapes": shapes,
    }
    write_text(folder / "pairs.json", json.dumps(index, ensure_ascii=False) + "\n")
    return PairStore(folder, json.loads(json.dumps(index)))


def _append(file: BinaryIO, digest: Any, layers: Layers) -> None:
    codes = layers.tobytes()
    file.write(codes)
    digest.update(codes)


def _decoded(chosen: Sequence[tuple[Pairs, Mapping[int, str]]], side: int) -> Iterator[tuple[str, str, Layers | str]]:
    """Yield key, split, and the layers or why there are none, in the order of the files."""
    workers = max_workers()
    with ThreadPoolExecutor(workers) as executor:
        waiting: deque[tuple[str, str, Future[Layers | str]]] = deque()
        jobs = ((pairs, splits, one) for pairs, splits in chosen for one in pairs.readers([*splits]))
        total = sum(len(splits) for _, splits in chosen)
        for pairs, splits, (index, read) in progress(jobs, "reading pairs", "pairs", total):
            waiting.append((pairs.keys[index], splits[index], executor.submit(small, read, side)))
            if len(waiting) > _AHEAD * workers:
                key, split, future = waiting.popleft()
                yield key, split, future.result()
        for key, split, future in waiting:
            yield key, split, future.result()


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
