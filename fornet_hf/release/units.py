"""From patches and source images to prepared rows, one unit of work at a time.

A unit is what one worker handles: a patch shard with its source shard, or an archive of the old format. Units
are plain values, so they travel to worker processes; memory stays bounded by a row group, whatever their size.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fornet_hf.errors import ForNetError, NotFoundError, PatchFormatError, explain, short
from fornet_hf.files import Open, open_local
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.manifest import ShardEntry
from fornet_hf.format.patch import apply_patch
from fornet_hf.format.rows import Row
from fornet_hf.format.shards import PatchShard
from fornet_hf.sources import Columns, ImageFiles, SourceImage, are_of_rows, iter_images

_Read = Callable[[int], bytes]  # label -> bytes of the source image
Skip = Callable[[str, str], bool]  # class folder and key -> whether nothing is to be done


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result for one patch. With neither `row` nor `error` it was skipped.

    Attributes:
        folder: name of the class folder.
        key: of the image.
        ratio: area of the mask / area of the raster, 0 to 1.
        row: the prepared row.
        error: why there is none; names file, row and key.
    """

    folder: str
    key: str
    ratio: float = 0.0
    row: Row | None = None
    error: ForNetError | None = None


def skip_nothing(folder: str, key: str) -> bool:
    """Return False: by default, `outcomes` does everything."""
    del folder, key
    return False


@dataclass(frozen=True, kw_only=True)
class Unit(ABC):
    """One piece of work.

    Attributes:
        split: `train` or `validation`.
        images: path or address of the source shard (Parquet), or images in files.
    """

    split: str
    images: str | ImageFiles

    @property
    def by_name(self) -> bool:
        """True if its images are files of their own, found by their names."""
        return isinstance(self.images, ImageFiles)

    def lacks_class(self, folder: str) -> bool:
        """Return whether its images are in class folders, and this one is not among them."""
        return isinstance(self.images, ImageFiles) and folder not in self.images.classes(self.split)

    @property
    @abstractmethod
    def files(self) -> Sequence[str]:
        """Paths and addresses of the release's and the source's files that it reads; not of single images."""

    @abstractmethod
    def count(self, seen: set[str]) -> int:
        """Return how many patches are in its files, of which archives in `seen` count nothing; adds its own there."""

    def rows(self, open_file: Open = open_local) -> Iterator[Row]:
        """Yield the prepared rows of this unit, in the order of its source.

        Raises:
            ForNetError: the first error, with file, row and key in front.
        """
        return rows_of(self.outcomes(open_file))

    @abstractmethod
    def outcomes(self, open_file: Open = open_local, skip: Skip = skip_nothing) -> Iterator[Outcome]:
        """Yield what becomes of each patch, for those who go on after an error of one row.

        Raises:
            ForNetError: a file of the unit cannot be read.
        """


def rows_of(outcomes: Iterator[Outcome]) -> Iterator[Row]:
    """Yield the rows; raise the first error."""
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
        if outcome.row is not None:
            yield outcome.row


@dataclass(frozen=True, kw_only=True)
class PatchUnit(Unit):
    """A patch shard and the images that it applies to.

    Attributes:
        entry: the shard's entry in the manifest.
        encoding: the manifest's settings.
        patches: path of the shard.
        class_folders: names of the class folders in label order.
        columns: of a source shard.
    """

    entry: ShardEntry
    encoding: Encoding
    patches: str
    class_folders: Sequence[str]
    columns: Columns = field(default_factory=Columns)

    @property
    def files(self) -> Sequence[str]:
        """The shard, and the source shard if there is one."""
        return [self.patches] + ([] if isinstance(self.images, ImageFiles) else [self.images])

    def count(self, seen: set[str]) -> int:
        """Return what the manifest says: no other unit has this shard."""
        del seen
        return self.entry.rows

    def outcomes(self, open_file: Open = open_local, skip: Skip = skip_nothing) -> Iterator[Outcome]:
        """Yield what becomes of each patch, in source order; images that are skipped are not read.

        A local shard is compared with the manifest before it is read.

        Raises:
            ForNetError: the shard or the source's shard cannot be read.
        """
        if "://" not in self.patches:
            self.entry.verify(Path(self.patches))
        with open_file(self.patches) as file:
            shard = self.entry.open(file, self.encoding)
            for number, read in self._sources(shard, open_file):
                yield self._outcome(shard, number, read, skip)

    def _outcome(self, shard: PatchShard, number: int, read: _Read, skip: Skip) -> Outcome:
        key, folder = shard.keys[number], ""
        try:
            patch = shard[number]  # its errors name the place
            try:
                patch.check_label(len(self.class_folders))
                folder = self.class_folders[patch.label]
                if skip(folder, key):
                    return Outcome(folder=folder, key=key, ratio=patch.foreground_ratio)
                row = apply_patch(read(patch.label), patch, self.encoding)
            except ForNetError as error:
                raise error.at(shard.place(number)) from error
        except ForNetError as error:
            return Outcome(folder=folder, key=key, error=error)
        return Outcome(folder=folder, key=key, ratio=row.foreground_ratio, row=row)

    def _sources(self, shard: PatchShard, open_file: Open) -> Iterator[tuple[int, _Read]]:
        """Yield row numbers of the shard, with what reads the bytes of their source images."""
        if isinstance(self.images, ImageFiles):
            for number, key in enumerate(shard.keys):
                yield number, partial(self._read_file, self.images, key)
            return
        waiting = {key: number for number, key in enumerate(shard.keys)}
        with open_file(self.images) as file:
            by_row = are_of_rows(shard.keys, self.images)
            for image in iter_images(file, name=self.images, columns=self.columns, by_row=by_row):
                if image.key in waiting:
                    yield waiting.pop(image.key), partial(_checked_data, image)
        for number in list(waiting.values()):
            yield number, partial(self._missing, shard, list(waiting))

    def _read_file(self, images: ImageFiles, key: str, label: int) -> bytes:
        return images.read(self.split, key, self.class_folders[label]).data

    def _missing(self, shard: PatchShard, keys: Sequence[str], label: int) -> bytes:
        del label
        raise NotFoundError(
            explain(
                f"{len(keys)} of its {len(shard)} images are not in {self.images}",
                found=f"no {', '.join(map(short, keys[:3]))}",
                then="Use the source revision that the manifest names: the source may have been re-sharded.",
            )
        )


def _checked_data(image: SourceImage, label: int) -> bytes:
    if image.label not in (None, label):
        raise PatchFormatError(explain(f"not the label of {image.origin}", found=label, allowed=image.label))
    return image.data
