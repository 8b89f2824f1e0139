"""Sheets of images that show how a training goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from fornet_hf.files import atomic_path
from fornet_hf.preview import Group, Line, sheet


def write_halves(
    path: Path, headings: Sequence[str], rows: Sequence[Sequence[Image.Image]], said: Mapping[str, Any]
) -> None:
    """Draw rows of images in two halves side by side, as PNG.

    Args:
        path: of the file.
        headings: of the columns.
        rows: images of any size, one for each heading.
        said: figures for the small print below.

    Raises:
        StorageError: the disk is full.
    """
    half = -(-len(rows) // 2)
    empty = [Image.new("L", rows[0][0].size, 255)] * len(headings)
    lines = [Line("", [*left, *right]) for left, right in zip(rows[:half], [*rows[half:], empty], strict=False)]
    caption = ", ".join(f"{name} {value}" for name, value in said.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        sheet([Group("", headings)] * 2, lines, caption=caption).save(temporary, "PNG")
