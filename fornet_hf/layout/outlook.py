"""How many images there are to make, and the space that they take: told before they are made."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from fornet_hf.errors import ForNetError
from fornet_hf.files import readable_bytes
from fornet_hf.format.rows import Row
from fornet_hf.hub.errors import Token
from fornet_hf.release.healing import healed_outcomes
from fornet_hf.release.units import Unit

_SAMPLE = 8  # images that are made to learn how large they are


@dataclass(frozen=True)
class Outlook:
    """What a split will come to.

    Attributes:
        split: `train` or `validation`.
        images: how many of them have patches.
        bytes_each: the mean size of what is made of one, from a few of them; None: not known.
    """

    split: str
    images: int
    bytes_each: float | None

    def line(self, output: Path) -> str:
        """The same for people, with the space that there is."""
        if self.bytes_each is None:
            return f"{self.split}: {self.images:,} images"
        place = next(one for one in (output.absolute(), *output.absolute().parents) if one.exists())
        needed, free = int(self.images * self.bytes_each), shutil.disk_usage(place).free
        line = (
            f"{self.split}: {self.images:,} images, which take about {readable_bytes(needed)} "
            f"when all are there; {readable_bytes(free)} are free in {output}"
        )
        return line + (": too little, unless most of them are there" if needed > free else "")


def outlook(split: str, units: Sequence[Unit], size_of: Callable[[Row], int], token: Token = None) -> Outlook:
    """Look ahead: count the patches of the units, and make a few images of the first to see how large they are.

    Args:
        split: `train` or `validation`.
        units: of the split, with their files on this machine.
        size_of: bytes of what is made of a row.
        token: for the Hub.
    """
    seen: set[str] = set()
    images = sum(unit.count(seen) for unit in units)
    return Outlook(split, images, _mean_size(units, size_of, token))


def _mean_size(units: Sequence[Unit], size_of: Callable[[Row], int], token: Token) -> float | None:
    sizes: list[int] = []
    with contextlib.suppress(ForNetError):
        outcomes = healed_outcomes(units[0], token) if units else iter(())
        for outcome in islice(outcomes, 4 * _SAMPLE):
            if outcome.row is not None:
                sizes.append(size_of(outcome.row))
            if len(sizes) == _SAMPLE:
                break
    return sum(sizes) / len(sizes) if sizes else None
