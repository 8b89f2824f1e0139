"""Work that is not finished: a folder in which one run writes at a time, and journals of what it has done.

A killed run is taken up by the next: a journal has a line for each image that is done.

Every attempt writes journals of its own, so that no line or byte of another can be damaged by it. A line is written
when its images are; one that was cut off is passed over.
"""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fornet_hf.layout.paths import KINDS, Layout
from fornet_hf.locks import alone

_LINES, _BYTES = ".log", ".bin"

Places = Mapping[str, tuple[int, int] | None]
"""Of the files of an image, by kind: offset and size in the spool, or None for a file of its own."""


@dataclass(frozen=True)
class Done:
    """An image that is done.

    Attributes:
        folder: its class folder.
        key: its name.
        ratio: area of the object / area of the image.
        kinds: the files which it has; each with offset and size in `spool`, or None for a file of its own.
        spool: the file with the bytes.
    """

    folder: str
    key: str
    ratio: float
    kinds: Places
    spool: Path


class Journal:
    """Written by one attempt at one unit of work.

    Attributes:
        spool: a file for the images' bytes, for those who want to keep them together.
    """

    def __init__(self, folder: Path, unit: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{unit:05}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._path = folder / (name + _LINES)
        self._lines = self._path.open("xb", buffering=0)
        self._spool: IO[bytes] | None = None
        self._at = 0

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        if self._spool is not None:
            self._spool.close()

    def keep(self, files: Mapping[str, bytes]) -> Places:
        """Append the bytes to the spool; returns where they are."""
        if self._spool is None:
            self._spool = self._path.with_suffix(_BYTES).open("xb")
        places: dict[str, tuple[int, int] | None] = {}
        for kind, data in files.items():
            self._spool.write(data)
            places[kind] = (self._at, len(data))
            self._at += len(data)
        self._spool.flush()
        return places

    def write(self, folder: str, key: str, ratio: float, kinds: Places) -> None:
        """Note that an image is done."""
        self._lines.write(json.dumps([folder, key, ratio, kinds]).encode() + b"\n")


def read_journals(folder: Path, unit: int | None = None) -> Iterator[Done]:
    """Yield the images that are done, of one unit or all."""
    for path in sorted(folder.glob("*" if unit is None else f"{unit:05}-*")):
        if path.suffix == _LINES:
            yield from _read(path)


def _read(path: Path) -> Iterator[Done]:
    spool = path.with_suffix(_BYTES)
    size = spool.stat().st_size if spool.is_file() else 0
    for line in path.read_bytes().splitlines(keepends=True):
        with contextlib.suppress(ValueError):  # cut off, as the process was killed
            name, key, ratio, places = json.loads(line)
            kinds = {kind: None if place is None else (place[0], place[1]) for kind, place in places.items()}
            if line.endswith(b"\n") and all(place is None or sum(place) <= size for place in kinds.values()):
                yield Done(name, key, ratio, kinds, spool)


@contextlib.contextmanager
def alone_in(work: Path, layout: Layout) -> Iterator[None]:
    """Make the folder `work`, clear what killed runs left half-written, and keep other runs out.

    Args:
        work: the folder.
        layout: what is being written.

    Raises:
        ConfigurationError: another run is at work there.
    """
    layout.root.mkdir(parents=True, exist_ok=True)
    with alone(
        layout.root / f".{layout.split}.lock", f"another run writes the {layout.split} split to {layout.root}"
    ):
        work.mkdir(parents=True, exist_ok=True)
        for folder in (work, *map(layout.folder, KINDS)):
            for leftover in folder.glob(".*.tmp"):
                leftover.unlink(missing_ok=True)
        yield
