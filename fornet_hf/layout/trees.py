"""The files of one kind and split, in class folders or in a zip, in an order that is the same everywhere.

Names are held in Arrow and NumPy arrays: a million Python strings would be copied into every forked worker, as
counting their references writes to their memory.
"""

from __future__ import annotations

import os
import struct
import weakref
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fornet_hf.errors import NotFoundError, PatchFormatError, explain
from fornet_hf.layout.paths import ENDINGS, Layout

_HEADER = struct.Struct("<4s22xHH")  # of a member: signature, lengths of name and extra field
_EXTRA = 64  # bytes read beyond name and content; an extra field is seldom longer


@dataclass(frozen=True)
class Entries:
    """The names of images, sorted by class folder, then key.

    Attributes:
        classes: names of the class folders, sorted.
        numbers: index of each image's class in `classes`, int32.
        keys: names without ending, a string each.
    """

    classes: Sequence[str]
    numbers: npt.NDArray[np.int32]
    keys: pa.StringArray

    @classmethod
    def of(cls, names: Iterable[tuple[str, str]]) -> Entries:
        """Make them from sorted pairs of class folder and key."""
        classes: dict[str, int] = {}
        numbers, keys = [], []
        for folder, key in names:
            numbers.append(classes.setdefault(folder, len(classes)))
            keys.append(key)
        return cls(tuple(classes), np.array(numbers, np.int32), pa.array(keys, pa.string()))

    def __len__(self) -> int:
        return len(self.numbers)

    def name(self, index: int) -> tuple[str, str]:
        """Return class folder and key."""
        return self.classes[self.numbers[index]], self.keys[index].as_py()

    def paths(self) -> pa.StringArray:
        """Return `{class folder}/{key}` of each."""
        folders = pa.array(self.classes, pa.string()).take(pa.array(self.numbers))
        return pc.binary_join_element_wise(folders, self.keys, "/")


class Tree(Protocol):
    """Images of one kind."""

    @property
    def entries(self) -> Entries:
        """Their names."""
        ...

    def read(self, index: int) -> bytes:
        """Return the bytes of an image's file."""
        ...

    def place(self, index: int) -> str:
        """Return what messages call it."""
        ...


@dataclass(frozen=True)
class FolderTree:
    """Images in class folders."""

    folder: Path
    ending: str
    entries: Entries

    @classmethod
    def open(cls, layout: Layout, kind: str) -> FolderTree:
        """List the class folders; other files than `*.WEBP` and `*.JPEG` are passed over."""
        folder, ending = layout.folder(kind), ENDINGS[kind]
        return cls(folder, ending, Entries.of(_listed(folder, ending)))

    def read(self, index: int) -> bytes:
        """Return the bytes of an image's file. Raises NotFoundError if it has gone."""
        try:
            return Path(self.place(index)).read_bytes()
        except FileNotFoundError as error:
            then = "Files were removed since the dataset was opened: open it again."
            raise NotFoundError(explain("an image is missing", found=error, then=then)) from error

    def place(self, index: int) -> str:
        """Return the path of its file."""
        folder, key = self.entries.name(index)
        return f"{self.folder}/{folder}/{key}{self.ending}"


def _listed(folder: Path, ending: str) -> Iterable[tuple[str, str]]:
    with os.scandir(folder) as classes:
        names = sorted(entry.name for entry in classes if entry.is_dir() and not entry.name.startswith("."))
    for name in names:
        with os.scandir(folder / name) as files:
            keys = [file.name.removesuffix(ending) for file in files if _is_image(file.name, ending)]
        for key in sorted(keys):
            yield name, key


def _is_image(name: str, ending: str) -> bool:
    return name.endswith(ending) and not name.startswith(".")


class ZipTree:
    """Images in a zip without compression.

    Reading needs no shared position, so one handle serves threads and forked workers; spawned ones open their own.

    Attributes:
        path: of the zip.
        entries: names of the images.
    """

    def __init__(self, path: Path, ending: str) -> None:
        """Read the list of members.

        Raises:
            NotFoundError: there is no such zip.
            PatchFormatError: it is damaged or cut off, compressed, or has two members of one name.
        """
        self.path = path
        self._ending = ending
        found = _members(path, ending)
        self.entries = Entries.of(name for name, _, _ in found)
        self._places = np.array([place for _, place, _ in found], np.int64)
        self._sizes = np.array([size for _, _, size in found], np.int64)
        self._handle: int | None = None

    @classmethod
    def open(cls, layout: Layout, kind: str) -> ZipTree:
        """Open the zip of that kind."""
        return cls(layout.archive(kind), ENDINGS[kind])

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_handle": None}

    def read(self, index: int) -> bytes:
        """Return the bytes of an image, read in one request. Raises PatchFormatError if the zip has changed."""
        start, size = int(self._places[index]), int(self._sizes[index])
        folder, key = self.entries.name(index)
        guess = _HEADER.size + len(f"{folder}{key}") + 2 * _EXTRA + size
        data = self._read(start, guess)
        signature, name, extra = _HEADER.unpack_from(data.ljust(_HEADER.size, b"\0"))
        begin = _HEADER.size + name + extra
        if len(data) < begin + size:
            data = self._read(start, begin + size)
        if signature != b"PK\x03\x04" or len(data) < begin + size:
            then = "Open the dataset again, or make the zip again: fornet pack."
            raise PatchFormatError(explain(f"{self.place(index)} is not where it was", then=then))
        return data[begin : begin + size]

    def place(self, index: int) -> str:
        """Return zip and member."""
        folder, key = self.entries.name(index)
        return f"{self.path}: {folder}/{key}{self._ending}"

    def _read(self, start: int, size: int) -> bytes:
        if self._handle is None:
            self._handle = os.open(self.path, os.O_RDONLY)
            weakref.finalize(self, os.close, self._handle)
        return os.pread(self._handle, size, start)


def _members(path: Path, ending: str) -> list[tuple[tuple[str, str], int, int]]:
    """Return sorted (class, key), offset and size of the images."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if _is_image(info.filename.rpartition("/")[2], ending)]
    except FileNotFoundError as error:
        raise NotFoundError(explain("no such zip", found=path)) from error
    except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, EOFError) as error:
        then = "Copy it again, or make it again: fornet pack."
        raise PatchFormatError(explain(f"{path}: the zip is damaged or cut off", found=error, then=then)) from error
    found = []
    for info in infos:
        if info.compress_type != zipfile.ZIP_STORED:
            then = "Unpack it, and run: fornet pack FOLDER"
            raise PatchFormatError(
                explain(f"{path}: a member is compressed", found=info.filename, allowed="stored members", then=then)
            )
        folder, name = info.filename.rpartition("/")[0].rpartition("/")[2], info.filename.rpartition("/")[2]
        found.append(((folder, name.removesuffix(ending)), info.header_offset, info.file_size))
    found.sort()
    for one, other in pairwise(found):
        if one[0] == other[0]:
            raise PatchFormatError(explain(f"{path}: two members of one name", found="/".join(one[0])))
    return found


def open_tree(layout: Layout, kind: str) -> Tree:
    """Return the images of a kind: the zip if there is one, else the folders, as the public tools do it.

    Raises:
        NotFoundError: there is neither.
        PatchFormatError: as `ZipTree`.
    """
    if layout.archive(kind).is_file():
        return ZipTree.open(layout, kind)
    if layout.folder(kind).is_dir():
        return FolderTree.open(layout, kind)
    raise NotFoundError(
        explain(
            f"{layout.root} has no {kind} of {layout.split!r}",
            found=f"neither {layout.archive(kind).name} nor {layout.name}/{kind}/",
            then="Make them: fornet apply -p PATCHES -in IMAGENET -o FOLDER",
        )
    )
