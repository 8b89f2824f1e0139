"""Units of work for the old format. It has no shards that fit the source's, so patches are found by name."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq

from fornet_hf.classes import class_folders
from fornet_hf.errors import ForNetError, NotFoundError, SourceError, explain, short
from fornet_hf.files import Open, open_local
from fornet_hf.format.keys import SHARD, shard_name
from fornet_hf.hub.transfer import SCHEME
from fornet_hf.release.legacy.apply import apply, legacy_row
from fornet_hf.release.legacy.archive import Key, LegacyArchive
from fornet_hf.release.legacy.files import read_ratios
from fornet_hf.release.units import Outcome, Skip, Unit, skip_nothing
from fornet_hf.sources import Columns, ImageFiles, SourceImage, damage_named, image_key, iter_images

_Found = tuple[LegacyArchive, Key, Callable[[], SourceImage]]
"""A patch, by its archive and name there, and what reads its image."""


@dataclass(frozen=True, kw_only=True)
class LegacyUnit(Unit):
    """One archive and the class folders that its images are in; or one shard of the source and all archives.

    Attributes:
        archives: paths or addresses of the zips that patches may be in.
        ratios: path of the ratio file.
    """

    archives: tuple[str, ...]
    ratios: str | None

    @property
    def files(self) -> Sequence[str]:
        """The archives, the ratio file and the source shard."""
        shard = [] if isinstance(self.images, ImageFiles) else [self.images]
        return [*self.archives, *([] if self.ratios is None else [self.ratios]), *shard]

    def count(self, seen: set[str]) -> int:
        """Return the number of patches in archives that were not seen; those that cannot be read have none."""
        count = 0
        for name in set(self.archives) - seen:
            with contextlib.suppress(ForNetError), LegacyArchive(Path(name)) as archive:
                count += len(archive)
        seen.update(self.archives)
        return count

    def outcomes(self, open_file: Open = open_local, skip: Skip = skip_nothing) -> Iterator[Outcome]:
        """Yield what becomes of each patch, in the order of the archive, or of the source's shard.

        Images without a patch are passed over; patches without an image come with those of the last shard. Only
        those whose ratio is known can be skipped.

        Raises:
            ForNetError: an archive, the source's shard or the ratio file cannot be read.
        """
        ratios = read_ratios(Path(self.ratios)) if self.ratios else {}
        with contextlib.ExitStack() as stack:
            archives = [
                stack.enter_context(LegacyArchive(stack.enter_context(open_file(path)), name=path))
                for path in self.archives
            ]
            for archive, (wnid, key), read in self._found(archives, open_file):
                if key in ratios and skip(wnid, key):
                    yield Outcome(folder=wnid, key=key, ratio=ratios[key])
                else:
                    yield _outcome(archive, (wnid, key), read, ratios)

    def _found(self, archives: Sequence[LegacyArchive], open_file: Open) -> Iterator[_Found]:
        if isinstance(self.images, ImageFiles):
            for archive in archives:
                for wnid, key in archive:
                    yield archive, (wnid, key), partial(self.images.read, self.split, key, wnid)
            return
        wnids = class_folders()
        with open_file(self.images) as file:
            for image in iter_images(file, name=self.images):
                if image.label is not None and image.label >= len(wnids):
                    allowed = f"0 to {len(wnids) - 1}, ImageNet's classes"
                    raise SourceError(explain(f"{image.origin}: label", found=image.label, allowed=allowed))
                member = ("" if image.label is None else wnids[image.label], image.key)
                holder = next((one for one in archives if member in one), None)
                if holder is not None:
                    yield holder, member, partial(_given, image)
        for archive, member in _missing(archives, self.images, open_file):
            yield archive, member, partial(_nowhere, archive, member)


def _given(image: SourceImage) -> SourceImage:
    return image


def _nowhere(archive: LegacyArchive, member: Key) -> SourceImage:
    what = f"{archive.name} ({short('/'.join(member))}): its image is in no shard of the source"
    raise NotFoundError(explain(what, then="Check that the source is the whole of ImageNet."))


def _outcome(
    archive: LegacyArchive, member: Key, read: Callable[[], SourceImage], ratios: Mapping[str, float]
) -> Outcome:
    wnid, key = member
    try:
        source = read()
        patch = archive.read(member)
        try:
            row = legacy_row(apply(source.data, patch), key, wnid, ratios.get(key))
        except ForNetError as error:
            raise error.at(f"{archive.name} ({short(f'{wnid}/{key}')})") from error
    except ForNetError as error:
        return Outcome(folder=wnid, key=key, error=error)
    return Outcome(folder=wnid, key=key, ratio=row.foreground_ratio, row=row)


def _missing(archives: Sequence[LegacyArchive], images: str, open_file: Open) -> Iterator[tuple[LegacyArchive, Key]]:
    """Yield the patches whose images are in no shard of the source. To say it once, only the last shard is asked.

    Of a streamed source nothing is said: reading the names of all its images takes gigabytes.

    Args:
        archives: all of the split.
        images: address of a shard; the others are beside it. Of all of them, names and labels are read.
        open_file: opens it.

    Raises:
        SourceError: a shard cannot be read.
    """
    match = SHARD.fullmatch(images)
    if match is None or int(match["index"]) + 1 != int(match["count"]) or images.startswith(SCHEME):
        return
    waiting = {key: archive for archive in reversed(archives) for key in archive}
    for index in range(int(match["count"])):
        for key in _keys_in(shard_name(match["stem"], index, int(match["count"])), open_file):
            waiting.pop(key, None)
    yield from ((archive, key) for key, archive in waiting.items())


def _keys_in(name: str, open_file: Open) -> Iterator[Key]:
    """Yield class folder and key of each image of a shard that has a label."""
    wnids = class_folders()
    with damage_named(name), open_file(name) as file, pq.ParquetFile(file, pre_buffer=False) as parquet:
        image, label_column = Columns().found_in(parquet.schema_arrow, name)
        table = parquet.read(columns=[f"{image}.path", label_column], use_threads=False).flatten()
    paths, labels = (table.column(column).to_pylist() for column in (f"{image}.path", label_column))
    for path, label in zip(paths, labels, strict=True):
        if path and isinstance(label, int) and 0 <= label < len(wnids):
            yield wnids[label], image_key(path)[0]
