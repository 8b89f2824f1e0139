"""From patches and source pictures to prepared rows, one unit of work at a time.

A unit is what one worker handles: a patch shard with its source shard, or an archive of the old format. Units
are plain values, so they travel to worker processes; memory stays bounded by a row group, whatever their size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from fornet_hf.encoding import Encoding
from fornet_hf.errors import (
    ForNetError,
    NotFoundError,
    PatchFormatError,
    SourceError,
    explain,
)
from fornet_hf.files import Open, open_local
from fornet_hf.manifest import ShardEntry
from fornet_hf.patch import apply_patch
from fornet_hf.rows import Row
from fornet_hf.shards import PatchShard
from fornet_hf.sources import FolderSource, iter_pictures
from fornet_hf.sources.picture import Picture


class Unit(Protocol):
    """One piece of work."""

    def rows(self, open_file: Open = open_local) -> Iterator[Row]:
        """The prepared rows of this unit, in the order of its source."""
        ...


@dataclass(frozen=True, kw_only=True)
class PatchUnit:
    """A patch shard and the pictures that it applies to.

    Attributes:
        split: `train` or `validation`.
        entry: the shard's entry in the manifest.
        encoding: the manifest's settings.
        patches: path of the shard.
        pictures: path of the source shard (Parquet), or an ImageNet folder.
        class_folders: names of the class folders in label order.
    """

    split: str
    entry: ShardEntry
    encoding: Encoding
    patches: str
    pictures: str | FolderSource
    class_folders: Sequence[str]

    def rows(self, open_file: Open = open_local) -> Iterator[Row]:
        """The prepared rows in source order; a local shard is compared with the manifest before it is read.

        Raises:
            ForNetError: with the file, row and key in front.
        """
        if "://" not in self.patches:
            self.entry.verify(Path(self.patches))
        with open_file(self.patches) as file:
            shard = PatchShard(file, self.entry.path)
            self._check(shard)
            for number, source in self._sources(shard, open_file):
                patch = shard[number]
                try:
                    row = apply_patch(source, patch, self.encoding)
                except ForNetError as error:
                    raise self._advised(error).at(shard.place(number)) from error
                yield row

    def _advised(self, error: ForNetError) -> ForNetError:
        """The error with what to do if the download of the source shard is to blame."""
        if isinstance(self.pictures, FolderSource) or "://" in self.pictures:
            return error
        file = Path(self.pictures).resolve()  # not the name in the snapshot, which would be linked to it again
        return type(error)(f"{error} If the download was damaged: delete {file} and load once more.")

    def _check(self, shard: PatchShard) -> None:
        if shard.encoding != self.encoding:
            raise PatchFormatError(
                explain(
                    f"{shard.name}: made with other settings than the manifest says",
                    found=shard.encoding,
                    allowed=self.encoding,
                )
            )
        if len(shard) != self.entry.rows:
            what = f"{shard.name}: another number of rows than the manifest says"
            raise PatchFormatError(explain(what, found=len(shard), allowed=self.entry.rows))

    def _sources(self, shard: PatchShard, open_file: Open) -> Iterator[tuple[int, bytes]]:
        """Row numbers of the shard, checked against the classes, with the bytes of their source pictures."""
        if isinstance(self.pictures, FolderSource):
            for number, key in enumerate(shard.keys):
                label = self._label(shard, number)
                try:
                    picture = self.pictures.read(self.split, key, self.class_folders[label])
                except ForNetError as error:
                    raise error.at(shard.place(number)) from error
                yield number, picture.data
            return
        waiting = {key: number for number, key in enumerate(shard.keys)}
        with open_file(self.pictures) as file:
            for picture in self._pictures(file, self.pictures):
                if picture.key in waiting:
                    number = waiting.pop(picture.key)
                    label = self._label(shard, number)
                    if picture.label not in (None, label):
                        what = f"{shard.place(number)}: not the label of {picture.origin}"
                        raise PatchFormatError(explain(what, found=label, allowed=picture.label))
                    yield number, picture.data
        if waiting:
            raise NotFoundError(
                explain(
                    f"{shard.name}: {len(waiting)} of its {len(shard)} pictures are not in {self.pictures}",
                    found=f"no {', '.join(list(waiting)[:3])}",
                    then="Use the source revision that the manifest names: the source may have been re-sharded.",
                )
            )

    def _pictures(self, file: BinaryIO, name: str) -> Iterator[Picture]:
        try:
            yield from iter_pictures(file, name=name)
        except SourceError as error:
            raise self._advised(error) from error

    def _label(self, shard: PatchShard, number: int) -> int:
        label, classes = shard[number].label, len(self.class_folders)
        if label >= classes:
            raise PatchFormatError(
                explain(f"{shard.place(number)}: label", found=label, allowed=f"0 to {classes - 1}")
            )
        return label
