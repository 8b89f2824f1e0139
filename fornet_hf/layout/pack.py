"""Zips without compression: of folders, and of what `apply` has kept together."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from fornet_hf.errors import NotFoundError, explain
from fornet_hf.files import atomic_path
from fornet_hf.layout.journal import Done
from fornet_hf.layout.paths import KINDS, Layout, splits_in
from fornet_hf.layout.trees import FolderTree, Tree, ZipTree
from fornet_hf.progress import progress

_Read = Callable[[], bytes]


def pack(root: Path, splits: Iterable[str] | None = None) -> dict[Path, int]:
    """Zip the folders of a root, without compression; returns the zips and how many images each has.

    A zip appears as a whole, or not at all; one that is there is replaced. The folders stay. Folders without
    images are passed over: an empty zip would hide what comes into them.

    Raises:
        NotFoundError: there are no folders, or no images in them.
    """
    layouts = [Layout(root, split) for split in (splits_in(root) if splits is None else splits)]
    there = [(layout, kind) for layout in layouts for kind in KINDS if layout.folder(kind).is_dir()]
    counts = {layout.archive(kind): _pack(layout, kind) for layout, kind in there}
    made = {archive: count for archive, count in counts.items() if count}
    if not made:
        allowed = "train/foregrounds, train/backgrounds, val/foregrounds, val/backgrounds"
        raise NotFoundError(explain(f"{root} has no folders to pack", allowed=f"{allowed}, with images"))
    return made


def _pack(layout: Layout, kind: str) -> int:
    members = _readers(FolderTree.open(layout, kind))
    return write_zip(layout, kind, members) if members else 0


def merge(layout: Layout, kind: str, done: Iterable[Done]) -> int:
    """Put what is kept together into the zip of a kind, beside what it has; returns how many images it has then."""
    archive = layout.archive(kind)
    members = _readers(ZipTree.open(layout, kind)) if archive.is_file() else {}
    before = len(members)
    for one in done:
        place = one.kinds.get(kind)
        if place is not None:
            members.setdefault((one.folder, one.key), _Slice(one.spool, *place))
    return before if len(members) == before else write_zip(layout, kind, members)


def write_zip(layout: Layout, kind: str, members: Mapping[tuple[str, str], _Read]) -> int:
    """Write a zip of images by class folder and key, sorted; the same images give the same bytes."""
    archive = layout.archive(kind)
    with atomic_path(archive) as temporary, zipfile.ZipFile(temporary, "w") as file:
        for name in progress(sorted(members), f"Writing {archive.name}", "image"):
            info = zipfile.ZipInfo(layout.member(kind, *name))
            info.external_attr = 0o644 << 16
            file.writestr(info, members[name]())
    return len(members)


def _readers(tree: Tree) -> dict[tuple[str, str], _Read]:
    return {tree.entries.name(index): _Reader(tree, index) for index in range(len(tree.entries))}


class _Reader:
    """Reads one image of a tree."""

    __slots__ = ("_index", "_tree")

    def __init__(self, tree: Tree, index: int) -> None:
        self._tree, self._index = tree, index

    def __call__(self) -> bytes:
        return self._tree.read(self._index)


class _Slice:
    """Reads one image out of a spool."""

    __slots__ = ("_offset", "_path", "_size")

    def __init__(self, path: Path, offset: int, size: int) -> None:
        self._path, self._offset, self._size = path, offset, size

    def __call__(self) -> bytes:
        with self._path.open("rb") as file:
            file.seek(self._offset)
            return file.read(self._size)
