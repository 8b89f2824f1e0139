"""Where the images of a unit of work go: files in class folders, or kept together for a zip."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fornet_hf.files import atomic_path
from fornet_hf.layout.journal import Done, Journal, Places
from fornet_hf.layout.paths import KINDS, Layout
from fornet_hf.layout.trees import ZipTree

_ZIPPED = "zipped.npy"  # sorted `{class}/{key}`


class Sink(Protocol):
    """Takes images, and knows which it has."""

    def has(self, folder: str, key: str, done: Done | None) -> bool:
        """Whether nothing is left to do for an image; `done` is its line in a journal."""
        ...

    def put(self, journal: Journal, folder: str, key: str, files: Mapping[str, bytes]) -> Places:
        """Take the files of an image; returns what the journal says of them."""
        ...


class FolderSink:
    """Files in class folders; each is there as a whole, or not at all."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._made: set[Path] = set()

    def has(self, folder: str, key: str, done: Done | None) -> bool:
        """Whether its files exist: those of the journal, else both."""
        return all(self._layout.file(kind, folder, key).is_file() for kind in (KINDS if done is None else done.kinds))

    def put(self, journal: Journal, folder: str, key: str, files: Mapping[str, bytes]) -> Places:
        """Write the files under a temporary name, then rename them."""
        del journal
        for kind, data in files.items():
            path = self._layout.file(kind, folder, key)
            if path.parent not in self._made:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._made.add(path.parent)
            # Above the class folders: it may be a link to another disk, and `alone_in` looks there for leftovers.
            temporary = self._layout.folder(kind) / f".{os.getpid()}.tmp"
            try:
                temporary.write_bytes(data)
                temporary.replace(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        return dict.fromkeys(files)


class SpoolSink:
    """Bytes kept together, to be put into zips at the end."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def has(self, folder: str, key: str, done: Done | None) -> bool:
        """Whether it is in a journal, or in zips that are there already."""
        kept = done is not None and None not in done.kinds.values()
        return kept or self._is_zipped(f"{folder}/{key}".encode())

    def put(self, journal: Journal, folder: str, key: str, files: Mapping[str, bytes]) -> Places:
        """Append the bytes to the journal's spool."""
        del folder, key
        return journal.keep(files)

    @cached_property
    def _zipped(self) -> npt.NDArray[np.bytes_]:
        path = self._layout.work / _ZIPPED
        return np.load(path, mmap_mode="r") if path.is_file() else np.empty(0, "S1")

    def _is_zipped(self, name: bytes) -> bool:
        names = self._zipped
        if not len(names) or len(name) > names.itemsize:
            return False
        index = np.searchsorted(names, name)
        return bool(index < len(names) and names[index] == name)


def note_zipped(layout: Layout) -> None:
    """Write down which images both zips have, for all processes: reading this from zips takes seconds and a GB.

    Raises:
        PatchFormatError: a zip is damaged.
    """
    path = layout.work / _ZIPPED
    path.unlink(missing_ok=True)
    if all(layout.archive(kind).is_file() for kind in KINDS):
        one, other = (ZipTree.open(layout, kind).entries.paths() for kind in KINDS)
        both = one.filter(pc.is_in(one, value_set=other)).cast(pa.binary()).to_numpy(zero_copy_only=False)
        if len(both):  # an empty file cannot be mapped
            with atomic_path(path) as temporary, temporary.open("wb") as file:
                np.save(file, np.sort(both.astype("S")))
