"""Patches of the old format whose images are nowhere: each shard of the source only tells of those it has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pyarrow.parquet as pq

from fornet_hf.classes import imagenet_classes
from fornet_hf.files import Open
from fornet_hf.hub.transfer import SCHEME
from fornet_hf.release.legacy.archive import Key, LegacyArchive
from fornet_hf.sources import Columns, damage_named, image_key

_SHARD = re.compile(r"(?P<start>.*-)(?P<number>\d{5})-of-(?P<count>\d{5})\.parquet", re.DOTALL)


def missing(archives: Sequence[LegacyArchive], images: str, open_file: Open) -> Iterator[tuple[LegacyArchive, Key]]:
    """The patches whose images are in no shard of the source. To say it once, only the last shard is asked.

    Of a streamed source nothing is said: reading the names of all its images takes gigabytes.

    Args:
        archives: all of the split.
        images: address of a shard; the others are beside it. Of all of them, names and labels are read.
        open_file: opens it.

    Raises:
        SourceError: a shard cannot be read.
    """
    match = _SHARD.fullmatch(images)
    if match is None or int(match["number"]) + 1 != int(match["count"]) or images.startswith(SCHEME):
        return
    waiting = {key: archive for archive in reversed(archives) for key in archive}
    for number in range(int(match["count"])):
        for key in _keys(f"{match['start']}{number:05}-of-{match['count']}.parquet", open_file):
            waiting.pop(key, None)
    yield from ((archive, key) for key, archive in waiting.items())


def _keys(name: str, open_file: Open) -> Iterator[Key]:
    """Class folder and key of each image of a shard; none of an image without label."""
    wnids = [one.wnid for one in imagenet_classes()]
    with damage_named(name), open_file(name) as file, pq.ParquetFile(file, pre_buffer=False) as parquet:
        image, label_column = Columns().found_in(parquet.schema_arrow, name)
        table = parquet.read(columns=[f"{image}.path", label_column], use_threads=False).flatten()
    paths, labels = (table.column(column).to_pylist() for column in (f"{image}.path", label_column))
    for path, label in zip(paths, labels, strict=True):
        if path and isinstance(label, int) and 0 <= label < len(wnids):
            yield wnids[label], image_key(path)[0]
