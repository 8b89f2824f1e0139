"""The examples of a report in files, for other reports to show again: small JPEGs, and a JSON that names them."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from PIL import Image

from fornet_hf.evaluation.report.examples import Example, Fooled, SaliencyExample
from fornet_hf.evaluation.results.origin import Origin
from fornet_hf.files import atomic_path, write_text
from fornet_hf.format.keys import plain_name
from fornet_hf.format.raster import DECODE_ERRORS

Examples = Mapping[Origin, Sequence[Example]]

FOLDER, FILE = "examples", "examples.json"
_KINDS: Mapping[str, type[Example]] = {"fooled": Fooled, "saliency": SaliencyExample}
_QUALITY = 90


def write_examples(folder: Path, examples: Examples) -> Examples:
    """Write examples to `FOLDER/examples`, where they replace those of the same origin and kind; return all.

    Raises:
        StorageError: the disk is full, or cannot be written.
    """
    place = folder / FOLDER
    rows = [_row(place, origin, example) for origin, of in examples.items() for example in of]
    replaced = {_identity(row) for row in rows}
    rows = [*(row for row in _rows(place) if _identity(row) not in replaced), *rows]
    if rows:
        write_text(place / FILE, json.dumps(rows, indent=1) + "\n")
    named = {value for row in rows for value in row.values() if isinstance(value, str)}
    for path in place.glob("*.jpg"):
        if path.name not in named:
            path.unlink()
    return read_examples(folder)


def read_examples(*folders: Path) -> Examples:
    """Return the examples in folders of results, without damaged ones; of an origin, those of the last folder."""
    found: dict[Origin, list[Example]] = {}
    for folder in folders:
        here: dict[Origin, list[Example]] = {}
        for row in _rows(folder / FOLDER):
            try:
                example = _example(folder / FOLDER, row)
                here.setdefault(Origin.of_row(row), []).append(example)
            except (*DECODE_ERRORS, TypeError):
                continue
        found |= here
    return found


def _row(place: Path, origin: Origin, example: Example) -> dict[str, Any]:
    """Return an example as a JSON object, its images as names of files, which are written."""
    kind = next(name for name, kind in _KINDS.items() if isinstance(example, kind))
    own = {one.name: getattr(example, one.name) for one in fields(example)}
    images = {name: _kept(place, value) for name, value in own.items() if isinstance(value, Image.Image)}
    return {**asdict(origin), "kind": kind, **own, **images}


def _kept(place: Path, image: Image.Image) -> str:
    """Write an image; return its file's name, which follows from its content."""
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=_QUALITY)
    path = place / f"{hashlib.sha256(file.getvalue()).hexdigest()[:20]}.jpg"
    if not path.is_file():
        with atomic_path(path) as temporary:
            temporary.write_bytes(file.getvalue())
    return path.name


def _example(place: Path, row: Mapping[str, Any]) -> Example:
    kind = _KINDS[row["kind"]]
    own = {one.name: row[one.name] for one in fields(kind)}
    for name in {"image", "overlay", "right"} & own.keys():
        if own[name] is not None:
            with Image.open(place / plain_name(own[name], "an example's image")) as image:
                own[name] = image.convert("RGB")
    return kind(**own)


def _rows(place: Path) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = json.loads((place / FILE).read_bytes())
        return [row for row in rows if _identity(row)]
    except (OSError, ValueError, KeyError, TypeError):  # not there, or damaged: they can be made again
        return []


def _identity(row: Mapping[str, Any]) -> tuple[object, ...]:
    """Return origin and kind. Raises KeyError or TypeError if it is no example."""
    return (*Origin.of_row(row).identity, row["kind"])
