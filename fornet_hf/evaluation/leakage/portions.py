"""Portions of a set: rows that one worker reads, of patches with the user's images, or of prepared rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fornet_hf.hub.errors import Token
from fornet_hf.hub.location import Folder, Repository
from fornet_hf.recombination.draw.rng import generator
from fornet_hf.release.healing import healed_outcomes
from fornet_hf.release.interface import Release
from fornet_hf.release.units import Unit, rows_of

_ROWS = 512  # of a portion of prepared rows


class Portion(Protocol):
    """Rows that one worker reads; a plain value that travels to it."""

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """Yield prepared rows, each a mapping.

        Raises:
            ForNetError: they cannot be read.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class PatchPortion:
    """Rows that patches of one unit give.

    Attributes:
        unit: the patches and their images.
        share: of its images that are read, above 0 to 1; the same ones whenever they are read.
        seed: of the draw.
        token: for the Hub.
    """

    unit: Unit
    share: float = 1.0
    seed: int = 0
    token: Token = None

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of the images that are drawn."""
        for row in rows_of(healed_outcomes(self.unit, self.token, self._skipped)):
            yield vars(row)

    def _skipped(self, folder: str, key: str) -> bool:
        return self.share < 1 and generator("leakage", self.seed, folder, key).random() >= self.share


@dataclass(frozen=True, kw_only=True)
class RowsPortion:
    """Some of the rows of a dataset.

    Attributes:
        dataset: a `datasets.Dataset` of prepared rows.
        places: of the rows.
    """

    dataset: Any
    places: Sequence[int]

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """Yield the rows, without the dataset's transform."""
        plain = self.dataset.with_format(None)
        for place in self.places:
            yield plain[int(place)]


def portions_of_patches(
    release: Release,
    split: str,
    images: Folder | Repository,
    *,
    most: int | None = None,
    seed: int = 0,
    token: Token = None,
) -> list[Portion]:
    """Return the portions of a split of a release.

    Args:
        release: the patches.
        split: `train` or `validation`.
        images: where the source images are.
        most: about so many images are drawn from it; None: all.
        seed: of the draw.
        token: for the Hub.

    Raises:
        ConfigurationError: the release has no such split.
        ForNetError: its files or the images are not there.
    """
    release.chosen(split)
    share = 1.0 if most is None else min(1.0, most / max(1, release.count(split)))
    units = release.units(split, images, streaming=True)
    return [PatchPortion(unit=unit, share=share, seed=seed, token=token) for unit in units]


def portions_of_rows(dataset: Any, *, most: int | None = None, seed: int = 0) -> list[Portion]:
    """Return the portions of prepared rows; with `most` of so many that are drawn."""
    count = len(dataset)
    drawn = range(count) if most is None or most >= count else _drawn(count, most, seed)
    return [
        RowsPortion(dataset=dataset, places=drawn[start : start + _ROWS]) for start in range(0, len(drawn), _ROWS)
    ]


def _drawn(count: int, most: int, seed: int) -> list[int]:
    places: list[int] = sorted(generator("leakage", "rows", seed).permutation(count)[:most].tolist())
    return places
