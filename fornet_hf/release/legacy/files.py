"""The files of an old release: which belong to which split, and what the ratio files tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from fornet_hf.errors import NotFoundError, PatchFormatError, explain
from fornet_hf.files import read_json

_TRAIN_ZIP = re.compile(r"train_(\d+)\.zip", re.ASCII)
_IMAGE_ENDING = ".JPEG"
_MAX_RATIO_BYTES = 2**28  # ImageNet's 1.3 million entries take about 100 MB


@dataclass(frozen=True)
class LegacyRelease:
    """The names of the files of a release; a split that is not there has no zips, a ratio file may be None."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    train_ratios: str | None
    validation_ratios: str | None

    def archives(self, split: str) -> tuple[str, ...]:
        """Return the zips of `train` or `validation`, in numeric order."""
        return self.train if split == "train" else self.validation

    def ratios(self, split: str) -> str | None:
        """Return the ratio file of `train` or `validation`."""
        return self.train_ratios if split == "train" else self.validation_ratios


def find_release(names: Sequence[str]) -> LegacyRelease:
    """Find the files of a release among those of a folder or repository; the zips of `train` in numeric order.

    Raises NotFoundError when there is no zip at all or a number between 0 and the highest is missing.
    """
    train = _train_zips(names)
    validation = tuple(name for name in names if name == "val.zip")
    if not train and not validation:
        then = "Download the release, or name the folder that holds it"
        raise NotFoundError(
            explain("no zips of patches", allowed="train_0.zip, train_1.zip, ..., val.zip", then=then)
        )
    ratios = [f"fg_bg_ratios_{split}.json" for split in ("train", "val")]
    return LegacyRelease(train, validation, *(name if name in names else None for name in ratios))


def read_ratios(path: Path) -> dict[str, float]:
    """Return object area / image area (0..1) by stem, for instance `n01440764_10026`.

    The file is JSON, `{any/prefix/}backgrounds/{wnid}/{stem}.JPEG` -> ratio. Raises NotFoundError without
    such a file, and PatchFormatError, naming file and entry, for anything else in it.
    """
    if not path.is_file():
        raise NotFoundError(explain("no such ratio file", found=path, then="Download the release again"))
    with path.open("rb") as file:
        entries = read_json(file, path, _MAX_RATIO_BYTES, object_pairs_hook=_Entries)
    if not isinstance(entries, _Entries):
        raise PatchFormatError(explain(f"{path}: ratios", found=type(entries).__name__, allowed="an object"))
    ratios: dict[str, float] = {}
    try:
        for name, value in entries:
            stem = _stem(name)
            if stem in ratios:
                raise PatchFormatError(explain("two ratios of one image", found=stem, allowed="one"))
            ratios[stem] = _ratio(name, value)
    except PatchFormatError as error:
        raise error.at(path) from None
    return ratios


class _Entries(list[tuple[str, Any]]):
    """An object of JSON as the pairs that are written there, so that none hides another of its name."""


def _train_zips(names: Sequence[str]) -> tuple[str, ...]:
    numbered: dict[int, str] = {}
    for name in sorted(name for name in names if name.startswith("train_") and name.endswith(".zip")):
        match = _TRAIN_ZIP.fullmatch(name)
        if match is None:
            allowed = "train_{number}.zip"
            raise PatchFormatError(
                explain("an archive of no known place", found=name, allowed=allowed, then="Move it away")
            )
        other = numbered.setdefault(int(match[1]), name)
        if other != name:
            raise PatchFormatError(explain("two archives of one number", found=f"{other} and {name}", allowed="one"))
    gaps = (number for number in range(max(numbered, default=0)) if number not in numbered)
    lacking = ", ".join(f"train_{number}.zip" for number in islice(gaps, 5))
    if lacking:
        raise NotFoundError(
            explain(f"the release lacks {lacking}", found=f"{len(numbered)} others", then="Download them too")
        )
    return tuple(numbered[number] for number in sorted(numbered))


def _stem(name: str) -> str:
    path = PurePosixPath(name)
    if len(path.parts) < 3 or path.parts[-3] != "backgrounds" or path.suffix != _IMAGE_ENDING:
        allowed = "{any/prefix/}backgrounds/{wnid}/{stem}" + _IMAGE_ENDING
        raise PatchFormatError(explain("a ratio's name", found=repr(name[:200]), allowed=allowed))
    return path.stem


def _ratio(name: str, value: object) -> float:
    # not a number is neither below nor above
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        found = repr(value)[:80] if isinstance(value, int | float | str) else type(value).__name__
        raise PatchFormatError(explain(f"the ratio of {name[:200]!r}", found=found, allowed="a number in 0..1"))
    return float(value)
