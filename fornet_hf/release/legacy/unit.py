"""Units of work for the old format. It has no shards that fit the source's, so patches are found by name."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fornet_hf.classes import imagenet_classes
from fornet_hf.errors import ForNetError, NotFoundError, explain, short
from fornet_hf.files import Open, open_local
from fornet_hf.format.rows import Row
from fornet_hf.release.legacy.apply import apply
from fornet_hf.release.legacy.archive import Key, LegacyArchive
from fornet_hf.release.legacy.missing import missing
from fornet_hf.release.legacy.release import read_ratios
from fornet_hf.release.legacy.row import legacy_row
from fornet_hf.release.units import Outcome, Skip, rows_of, skip_nothing
from fornet_hf.sources import FolderSource, SourceImage, iter_images


@dataclass(frozen=True)
class FolderLegacyUnit:
    """One archive, applied to a folder of images."""

    split: str
    archive: str
    ratios: str | None
    images: FolderSource

    @property
    def files(self) -> Sequence[str]:
        """The archive and the ratio file."""
        return [self.archive] + ([] if self.ratios is None else [self.ratios])

    def rows(self, open_file: Open = open_local) -> Iterator[Row]:
        """The prepared rows in the order of the archive.

        Raises:
            ForNetError: with the archive and member in front.
        """
        return rows_of(self.outcomes(open_file))

    def outcomes(self, open_file: Open = open_local, skip: Skip = skip_nothing) -> Iterator[Outcome]:
        """What becomes of each patch; only those whose ratio is known can be skipped.

        Raises:
            ForNetError: the archive or the ratio file cannot be read.
        """
        ratios = read_ratios(Path(self.ratios)) if self.ratios else {}
        with open_file(self.archive) as file, LegacyArchive(file, name=self.archive) as archive:
            for wnid, key in archive:
                read = partial(self.images.read, self.split, key, wnid)
                yield _unless_skipped(archive, (wnid, key), read, ratios, skip)


@dataclass(frozen=True)
class ShardLegacyUnit:
    """One shard of the source; the patches of its images may be in any of the archives."""

    split: str
    archives: tuple[str, ...]
    ratios: str | None
    images: str

    @property
    def files(self) -> Sequence[str]:
        """The archives, the ratio file and the source shard."""
        return [*self.archives, *([] if self.ratios is None else [self.ratios]), self.images]

    def rows(self, open_file: Open = open_local) -> Iterator[Row]:
        """The prepared rows in the order of the source; images without a patch are passed over.

        Raises:
            ForNetError: with the archive and member in front; of the last shard also for an image that none has.
        """
        return rows_of(self.outcomes(open_file))

    def outcomes(self, open_file: Open = open_local, skip: Skip = skip_nothing) -> Iterator[Outcome]:
        """What becomes of each patch of the source's images; only those whose ratio is known can be skipped.

        After those of the last shard come the patches whose images are in none.

        Raises:
            ForNetError: an archive, the source's shard or the ratio file cannot be read.
        """
        ratios = read_ratios(Path(self.ratios)) if self.ratios else {}
        wnids = [one.wnid for one in imagenet_classes()]
        with contextlib.ExitStack() as stack:
            archives = [
                stack.enter_context(LegacyArchive(stack.enter_context(open_file(path)), name=path))
                for path in self.archives
            ]
            file = stack.enter_context(open_file(self.images))
            for image in iter_images(file, name=self.images):
                wnid, key = "" if image.label is None else wnids[image.label], image.key
                archive = next((archive for archive in archives if (wnid, key) in archive), None)
                if archive is not None:
                    yield _unless_skipped(archive, (wnid, key), partial(_given, image), ratios, skip)
            for archive, member in missing(archives, self.images, open_file):
                yield _unless_skipped(archive, member, partial(_nowhere, archive, member), ratios, skip)


def _given(image: SourceImage) -> SourceImage:
    return image


def _nowhere(archive: LegacyArchive, member: Key) -> SourceImage:
    what = f"{archive.name} ({short('/'.join(member))}): its image is in no shard of the source"
    raise NotFoundError(explain(what, then="Check that the source is the whole of ImageNet."))


def _unless_skipped(
    archive: LegacyArchive, member: Key, read: Callable[[], SourceImage], ratios: Mapping[str, float], skip: Skip
) -> Outcome:
    wnid, key = member
    if key in ratios and skip(wnid, key):
        return Outcome(folder=wnid, key=key, ratio=ratios[key])
    return _outcome(archive, member, read, ratios)


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
