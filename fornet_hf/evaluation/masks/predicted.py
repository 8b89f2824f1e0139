"""Masks that segmenters found: PNG files, or the masks of a run's patches and candidates, on their rasters."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fornet_hf.errors import ConfigurationError, NotFoundError, PatchFormatError, explain
from fornet_hf.evaluation.masks.names import Name, files_in
from fornet_hf.evaluation.masks.sets import Files, MaskSet, Outline, by_level
from fornet_hf.format.keys import SHARD
from fornet_hf.format.masks import Box, Mask, decode_mask
from fornet_hf.format.shards import CANDIDATE_SCHEMA, SCHEMA, checked_encoding

_COLUMNS = ["width", "height", "box", "mask"]


def read_predicted(root: Path, threshold: int | None = None) -> MaskSet:
    """Return the masks in a folder.

    Args:
        root: of PNG masks, flat or in class folders; or of a run or release of this project. Of a run with patches
            and candidates these are the patches; of candidates it is the most confident version of each image.
        threshold: grey level of PNG masks above which is the object; None: there must be two levels, 0 and another.

    Raises:
        NotFoundError: there are neither.
        PatchFormatError: a shard is damaged.
        SourceError: two masks have one name.
        ConfigurationError: a threshold for the masks of a run, which have no grey levels.
    """
    if shards := shards_of(root):
        if threshold is not None:
            found = f"{root}, a run or release, whose masks have no grey levels"
            raise ConfigurationError(explain("a threshold is not allowed", found=found, allowed="PNG masks"))
        return ShardMasks.of(shards)
    try:
        files = files_in(root)
    except NotFoundError as error:
        allowed = "PNG files, or the Parquet shards of a run or release"
        raise NotFoundError(explain(f"no masks in {root}", found=error, allowed=allowed)) from error
    rule = "all but level 0" if threshold is None else f"above level {threshold}"
    return Files([*files], [*files.values()], by_level(threshold), rule)


def shards_of(root: Path) -> list[Path]:
    """Return the shards of a run's patches, else of its candidates; of a release, or a folder of shards, all."""
    for folder in (root, root / "patches", root / "candidates"):
        if found := sorted(path for path in folder.glob("*.parquet") if SHARD.fullmatch(path.name)):
            return found
    return []


@dataclass(frozen=True)
class ShardMasks(MaskSet):
    """The masks of patches or candidates; patches without an object have an empty mask.

    Attributes:
        names: their keys.
        places: shard and row of each.
        rule: for a person.
    """

    names: Sequence[Name]
    places: Sequence[tuple[Path, int]]
    rule: str

    @classmethod
    def of(cls, shards: Sequence[Path]) -> ShardMasks:
        """Return those of some shards.

        Raises:
            PatchFormatError: a shard is damaged.
        """
        best: dict[str, tuple[float, Path, int]] = {}
        for shard in shards:
            file = _opened(shard)
            scored = "score" in file.schema_arrow.names
            table = _read(shard, partial(file.read, columns=["key", *["score"] * scored], use_threads=False))
            scores = table["score"].to_pylist() if scored else [1.0] * len(table)
            for row, (key, score) in enumerate(zip(table["key"].to_pylist(), scores, strict=True)):
                if key not in best or (scored and score > best[key][0]):
                    best[key] = score, shard, row
        ordered = sorted(best.items(), key=lambda one: one[1][1:])
        rule = "as in the run"
        return cls([Name(key) for key, _ in ordered], [place[1:] for _, place in ordered], rule)

    def read(self, number: int) -> Outline:
        """Return a mask."""
        alone = ShardMasks([self.names[number]], [self.places[number]], self.rule)
        return next(read for _, read in alone.readers({0}))()

    def readers(self, wanted: Container[int]) -> Iterator[tuple[int, Callable[[], Outline]]]:
        """Yield what decodes the masks, in the order of the shards, of which one row group is held in memory."""
        shard, group = None, range(0)
        for number, (path, row) in enumerate(self.places):
            if number not in wanted:
                continue
            if path != shard:
                file, shard, group = _opened(path), path, range(0)
                counts = (file.metadata.row_group(index).num_rows for index in range(file.num_row_groups))
                starts = list(accumulate(counts, initial=0))
            if row not in group:
                index = bisect_right(starts, row) - 1
                group = range(starts[index], starts[index + 1])
                read = partial(file.read_row_group, index, columns=_COLUMNS, use_threads=False)
                records = _read(path, read).to_pylist()
            place = f"{path}, row {row} ({self.names[number].stem})"
            yield number, partial(_placed, records[row - group.start], place)


def _opened(shard: Path) -> pq.ParquetFile:
    file = _read(shard, partial(pq.ParquetFile, shard, page_checksum_verification=True))
    try:
        checked_encoding(file, CANDIDATE_SCHEMA if "score" in file.schema_arrow.names else SCHEMA)
    except PatchFormatError as error:
        raise error.at(shard) from error
    return file


def _read(shard: Path, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise PatchFormatError(explain(f"{shard}: not a readable Parquet file", found=error)) from error


def _placed(record: dict[str, Any], place: str) -> Outline:
    """Return a mask on its raster."""
    mask: Mask = np.zeros((record["height"], record["width"]), np.bool_)
    if record["mask"] is None or record["box"] is None:
        return Outline(mask)
    box: Box = tuple(record["box"])
    x0, y0, x1, y1 = box
    if not (0 <= x0 < x1 <= record["width"] and 0 <= y0 < y1 <= record["height"]):
        raise PatchFormatError(explain(f"{place}: the box is not on its raster", found=box))
    try:
        mask[y0:y1, x0:x1] = decode_mask(record["mask"], (x1 - x0, y1 - y0))
    except PatchFormatError as error:
        raise error.at(place) from error
    return Outline(mask)
