"""Units of work for the old format. It has no shards that fit the source's, so patches are found by name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fornet_hf.classes import imagenet_classes
from fornet_hf.errors import ForNetError
from fornet_hf.files import Open, open_local
from fornet_hf.legacy.apply import apply
from fornet_hf.legacy.archive import Key, LegacyArchive
from fornet_hf.legacy.release import read_ratios
from fornet_hf.legacy.row import legacy_row
from fornet_hf.rows import Row
from fornet_hf.sources import FolderSource, iter_pictures


@dataclass(frozen=True)
class FolderLegacyUnit:
    """One archive, applied to a folder of pictures."""

    split: str
    archive: str
    ratios: str | None
    pictures: FolderSource

    def rows(self, open_file: Open = open_local) -> Iterator[Row]:
        """The prepared rows in the order of the archive.

        Raises:
            ForNetError: with the archive and member in front.
        """
        ratios = read_ratios(Path(self.ratios)) if self.ratios else {}
        with open_file(self.archive) as file, LegacyArchive(file, name=self.archive) as archive:
            for wnid, key in archive:
                source = self.pictures.read(self.split, key, wnid)
                yield _row(archive, (wnid, key), source.data, ratios)


@dataclass(frozen=True)
class ShardLegacyUnit:
    """One shard of the source; the patches of its pictures may be in any of the archives."""

    split: str
    archives: tuple[str, ...]
    ratios: str | None
    pictures: str

    def rows(self, open_file: Open = open_local) -> Iterator[Row]:
        """The prepared rows in the order of the source; pictures without a patch are passed over.

        Raises:
            ForNetError: with the archive and member in front.
        """
        ratios = read_ratios(Path(self.ratios)) if self.ratios else {}
        wnids = [one.wnid for one in imagenet_classes()]
        with contextlib.ExitStack() as stack:
            archives = [
                stack.enter_context(LegacyArchive(stack.enter_context(open_file(path)), name=path))
                for path in self.archives
            ]
            file = stack.enter_context(open_file(self.pictures))
            for picture in iter_pictures(file, name=self.pictures):
                key = ("" if picture.label is None else wnids[picture.label], picture.key)
                archive = next((archive for archive in archives if key in archive), None)
                if archive is not None:
                    yield _row(archive, key, picture.data, ratios)


def _row(archive: LegacyArchive, member: Key, source: bytes, ratios: dict[str, float]) -> Row:
    wnid, key = member
    patch = archive.read(member)
    try:
        return legacy_row(apply(source, patch), key, wnid, ratios.get(key))
    except ForNetError as error:
        raise error.at(f"{archive.name} ({wnid}/{key})") from error
