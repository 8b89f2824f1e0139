"""Candidate shards: patch shards in which an image may have several rows, one for each version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fornet_hf.errors import ForNetError, NotFoundError, PatchFormatError, explain
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.patch import Patch
from fornet_hf.format.shards import CANDIDATE_SCHEMA, SCHEMA, Record, checked_encoding, patch_of, write_records
from producers.scene import Detection

_MORE = CANDIDATE_SCHEMA.names[len(SCHEMA) :]


@dataclass(frozen=True)
class CandidatePatch:
    """One way to take an image apart, as a patch.

    Attributes:
        patch: what it would be in a release.
        version: number of the way, from 0.
        prompt: the one which found the object.
        score: of the detection, 0 to 1.
        soft: how much each part of the image is the object, as grey PNG; None if the model made masks alone.
        detections: all boxes in the image, in the order of the prompts; None if no detector looked, in versions
            other than 0, and in shards from before they were kept.
    """

    patch: Patch
    version: int
    prompt: str
    score: float
    soft: bytes | None = None
    detections: tuple[Detection, ...] | None = None


def write_candidates(path: Path, candidates: Iterable[CandidatePatch], encoding: Encoding) -> int:
    """Write a candidate shard, in source order and by version; returns the number of rows."""
    return write_records(path, map(_record, candidates), CANDIDATE_SCHEMA, encoding)


def _record(one: CandidatePatch) -> Record:
    record = {name: getattr(one.patch, name) for name in SCHEMA.names} | {name: getattr(one, name) for name in _MORE}
    if one.detections is not None:
        record["detections"] = [asdict(found) for found in one.detections]
    return record


def _candidate(record: Record) -> CandidatePatch:
    more = {name: record.pop(name, None) for name in _MORE}
    if more["detections"] is not None:
        more["detections"] = tuple(Detection(**{**one, "box": tuple(one["box"])}) for one in more["detections"])
    return CandidatePatch(patch_of(record), **more)


class CandidateShard:
    """A candidate shard that is open for reading.

    Attributes:
        path: of the file.
        encoding: the settings that it was made with.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise NotFoundError(explain("the candidates are missing", found=f"no file {path}", then="Segment first."))
        try:
            self._file = pq.ParquetFile(path, page_checksum_verification=True)
            self.encoding = checked_encoding(self._file, CANDIDATE_SCHEMA)
        except ForNetError as error:
            raise error.at(path) from error
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(error) from error

    def image_keys(self) -> list[str]:
        """Return the keys of the images, in source order.

        Raises:
            PatchFormatError: the file is damaged.
        """
        try:
            return list(dict.fromkeys(self._file.read(columns=["key"]).column("key").to_pylist()))
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(error) from error

    def by_image(self) -> Iterator[tuple[CandidatePatch, ...]]:
        """Yield the versions of each image, in source order; one row group is held in memory.

        Raises:
            PatchFormatError: a row does not follow the format, or the file is damaged.
        """
        for _, group in groupby(self._rows(), key=attrgetter("patch.key")):
            yield tuple(group)

    def _rows(self) -> Iterator[CandidatePatch]:
        for number in range(self._file.num_row_groups):
            try:
                records = self._file.read_row_group(number).to_pylist()
            except (pa.ArrowException, OSError) as error:
                raise self._damaged(error) from error
            yield from map(_candidate, records)

    def _damaged(self, error: Exception) -> PatchFormatError:
        return PatchFormatError(explain(f"{self.path}: not a readable Parquet file", found=error))
