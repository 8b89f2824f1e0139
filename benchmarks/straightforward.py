"""The other sides of the comparison: loading plain JPEGs, and recombination as the public loader does it.

Both read encoded images from memory, so that no disk is timed.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from PIL import Image

from fornet_hf.format.rows import Row, cutout
from tests.recombination.reference import Parameters, paste, place, tight


class PlainJpegs:
    """Index to (tensor, label): decode the original JPEG, apply the transform."""

    def __init__(self, files: Sequence[bytes], transform: Any) -> None:
        self.files = files
        self.transform = transform

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.transform(Image.open(io.BytesIO(self.files[index])).convert("RGB")), index


class Straightforward:
    """Index to (tensor, label): object as WEBP with alpha, background as JPEG, paste at full size, then transform.

    The parameters are the definition's defaults; every background may meet every object.
    """

    def __init__(self, rows: Sequence[Row], transform: Any, seed: int = 0) -> None:
        self.objects = [_webp(tight(cutout(asdict(row)))) for row in rows]
        self.backgrounds = [_plain_jpeg(row.background) for row in rows]
        self.ratios = [row.foreground_ratio for row in rows]
        self.pool = [index for index, ratio in enumerate(self.ratios) if ratio < 0.8]
        self.transform = transform
        self.rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self.objects)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        other = self.pool[self.rng.integers(len(self.pool))]
        foreground = Image.open(io.BytesIO(self.objects[index])).convert("RGBA")
        background = Image.open(io.BytesIO(self.backgrounds[other])).convert("RGB")
        ratios = self.ratios[index], self.ratios[other]
        placement = place(foreground, background.size, ratios, Parameters(), self.rng)
        image, _ = paste(foreground, background, placement)
        return self.transform(image), index


def _webp(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP")
    return buffer.getvalue()


def _plain_jpeg(background: bytes | None) -> bytes:
    """The background without restart markers, as other tools write it."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(background or b"")).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
