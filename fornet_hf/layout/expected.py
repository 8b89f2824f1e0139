"""Which files a release of patches gives, as far as that can be told without applying it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow.parquet as pq

from fornet_hf.classes import imagenet_classes
from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.hub.errors import Token
from fornet_hf.hub.transfer import open_file
from fornet_hf.layout.paths import BACKGROUNDS, FOREGROUNDS, KINDS
from fornet_hf.release.legacy import LegacyArchive
from fornet_hf.release.release import OldRelease, PatchRelease, Release


@dataclass(frozen=True)
class Expected:
    """An image of a release.

    Attributes:
        folder: its class folder.
        key: its name.
        kinds: which files it has.
    """

    folder: str
    key: str
    kinds: frozenset[str]


def expected(release: Release, split: str, token: Token = None) -> Iterator[Expected]:
    """All images of a split. Of an old release they are said to have both files; see `kinds_of_old`.

    Raises:
        ForNetError: a file of the release cannot be read.
    """
    if isinstance(release, PatchRelease):
        yield from _of_shards(release, split, token)
    elif isinstance(release, OldRelease):
        for name in release.files.archives(split):
            with open_file(release.location.address(name), token) as file, LegacyArchive(file, name=name) as archive:
                for folder, key in archive:
                    yield Expected(folder, key, frozenset(KINDS))
    else:
        raise ConfigurationError(explain("this release cannot list its images", found=type(release).__name__))


def kinds_of_old(release: OldRelease, split: str, names: set[tuple[str, str]], token: Token = None) -> set[Expected]:
    """The images of these names, with the files that they have in truth: their patches are read."""
    result = set()
    for name in release.files.archives(split):
        with open_file(release.location.address(name), token) as file, LegacyArchive(file, name=name) as archive:
            for folder, key in names.intersection(archive):
                patch = archive.read((folder, key))
                has = {FOREGROUNDS: patch.mask is not None, BACKGROUNDS: patch.difference is not None}
                result.add(Expected(folder, key, frozenset(kind for kind in KINDS if has[kind])))
    return result


def _of_shards(release: PatchRelease, split: str, token: Token) -> Iterator[Expected]:
    folders = release.manifest.classes or [one.wnid for one in imagenet_classes()]
    columns = {"box": FOREGROUNDS, "target_sha256": BACKGROUNDS}  # null without the part
    opener = functools.partial(open_file, token=token)
    for entry in release.manifest.splits[split]:
        with opener(release.location.address(release.place + entry.path)) as file:
            table = pq.ParquetFile(file, pre_buffer=False).read(columns=["key", "label", *columns], use_threads=False)
        present = {kind: table.column(name).is_valid().to_pylist() for name, kind in columns.items()}
        for row, (key, label) in enumerate(
            zip(table.column("key").to_pylist(), table.column("label").to_pylist(), strict=True)
        ):
            yield Expected(folders[label], key, frozenset(kind for kind in KINDS if present[kind][row]))
