"""Sheets of what a generator paints, in which the same few latents are seen as the training goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from producers.layers.written import Sample
from producers.training.sheets import write_halves

SHOWN = 16
"""Samples on a sheet."""

HEADINGS = ("image", "foreground", "mask", "background")


def write_grid(path: Path, samples: Sequence[Sample], said: Mapping[str, Any]) -> None:
    """Draw image, foreground, mask and background of some samples side by side, with a few figures below.

    Raises:
        StorageError: the disk is full.
    """
    rows = [
        [Image.fromarray(one) for one in (sample.image, sample.foreground, sample.soft, sample.background)]
        for sample in samples
    ]
    write_halves(path, HEADINGS, rows, said)
