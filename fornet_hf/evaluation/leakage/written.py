"""Leakage in files: a table of all images, the numbers with their settings, and a sheet of the worst images."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fornet_hf.evaluation.leakage.betrayal import PARTS
from fornet_hf.evaluation.leakage.fields import shrunk
from fornet_hf.evaluation.leakage.measuring import Leakage
from fornet_hf.evaluation.leakage.squares import Squares
from fornet_hf.evaluation.statistics.values import Value
from fornet_hf.files import atomic_path, write_text
from fornet_hf.preview import Group, Line, sheet

TABLE, NUMBERS, SHEET = "leakage.csv", "leakage.json", "leakage.png"
COLUMNS = ("key", "class", "score", *PARTS)
_OUTLINE = (255, 0, 128)
_SCALE = 3  # of a square on the sheet


def write_table(path: Path, leakage: Leakage, class_names: Sequence[str]) -> None:
    """Write a CSV file with a row for each image, the highest score first: the `COLUMNS`."""
    order = np.argsort(-leakage.scores, kind="stable").tolist()
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for place in order:
            numbers = (leakage.scores[place], *leakage.parts[place])
            name = class_names[leakage.labels[place]]
            writer.writerow([leakage.keys[place], name, *(f"{number:.4f}" for number in numbers)])


def numbers(leakage: Leakage, values: Sequence[Value], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return values and settings as JSON object."""
    control = leakage.control
    return {
        "images": len(leakage.keys),
        "left_out": dict(leakage.left_out),
        "values": [value.to_json() for value in values],
        "control": {
            "images": control.rows,
            "slopes": {part: one.slope for part, one in zip(PARTS, control.expected, strict=True)},
            "zeros": dict(zip(PARTS, control.zeros, strict=True)),
            "spreads": dict(zip(PARTS, control.spreads, strict=True)),
        },
        "settings": dict(settings),
    }


def write_numbers(path: Path, found: Mapping[str, Any]) -> None:
    """Write what `numbers` returns."""
    write_text(path, json.dumps(found, indent=1) + "\n")


def worst_sheet(leakage: Leakage, class_names: Sequence[str]) -> Image.Image:
    """Draw the images with the highest scores: image, background, and the background with the object's outline."""
    squares = leakage.worst
    parts = leakage.control.parts(squares)
    scores = leakage.control.scores(parts)
    names = [class_names[label].partition(",")[0] for label in squares.labels]
    lines = [
        Line(
            f"{names[place]}\n{squares.keys[place]}\nscore {scores[place]:.1f}"
            f"\narea {parts[place, 0]:.2f}, rim {parts[place, 1]:.2f}",
            [_large(pixels) for pixels in (squares.sources[place], squares.backgrounds[place], outlined)],
        )
        for place, outlined in enumerate(_outlined(squares))
    ]
    groups = [Group("backgrounds that betray most", ["image", "background", "the object's outline"])]
    return sheet(groups, lines, caption="The square around each object, as the score sees it.")


def _outlined(squares: Squares) -> np.ndarray[Any, np.dtype[np.uint8]]:
    edges = squares.masks & ~shrunk(squares.masks, 1)
    return np.where(edges[..., None], np.array(_OUTLINE, np.uint8), squares.backgrounds)


def _large(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> Image.Image:
    side = pixels.shape[0] * _SCALE
    return Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC)
