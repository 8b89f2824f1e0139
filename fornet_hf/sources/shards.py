"""Pictures in the Parquet shards of a Hub dataset, such as `ILSVRC/imagenet-1k`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from fornet_hf.errors import ConfigurationError, NotFoundError, SourceError, explain
from fornet_hf.sources.damage import damage_named
from fornet_hf.sources.picture import Picture, picture_key, split_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path


def shard_files(folder: Path, split: str) -> list[Path]:
    """The Parquet shards of a split, `train-00000-of-00294.parquet` on, in order.

    They are looked for in `folder/data`, where the Hub's repositories have them, then in `folder`.

    Raises:
        NotFoundError: if there are none, or some are missing.
        SourceError: if shards of several conversions lie together.
    """
    files = [path for place in (folder / "data", folder) if place.is_dir() for path in place.iterdir()]
    names = [path.relative_to(folder).as_posix() for path in files]
    return [folder / name for name in shard_names(names, split, str(folder))]


def shard_names(paths: Collection[str], split: str, where: str = "the source") -> list[str]:
    """Those of a repository's paths that are the Parquet shards of a split, in order; as `shard_files`."""
    names = split_names(split)
    pattern = re.compile(rf"({'|'.join(map(re.escape, names))})-\d{{5}}-of-(\d{{5}})\.parquet")
    for place in ("data/", ""):
        inside = [path.removeprefix(place) for path in paths if path.startswith(place)]
        matches = [match for match in map(pattern.fullmatch, inside) if match]
        if matches:
            sets = sorted({(match[1], match[2]) for match in matches})
            found = _complete_set(f"{where}/{place}", {match[0] for match in matches}, sets)
            return [place + name for name in found]
    example = f"{where}/data/{names[-1]}-00000-of-NNNNN.parquet"
    raise NotFoundError(explain(f"no shards of split {split!r}", then=f"Expected {example}"))


def _complete_set(place: str, names: Collection[str], sets: list[tuple[str, str]]) -> list[str]:
    """The names of all shards of the set, if it is one set and these are they."""
    if len(sets) > 1:
        found = [f"{split}-*-of-{count}" for split, count in sets]
        raise SourceError(explain(f"shards of several sets in {place}", found=found, allowed="one set"))
    ((split, count),) = sets
    expected = [f"{split}-{index:05}-of-{count}.parquet" for index in range(int(count))]
    if missing := [name for name in expected if name not in names]:
        some = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        what = f"{len(missing)} of {int(count)} shards missing in {place}: {some}"
        raise NotFoundError(explain(what, then="Download them again"))
    if extra := sorted(set(names) - set(expected)):
        raise SourceError(explain(f"shards beyond {count} in {place}", found=extra))
    return expected


def iter_pictures(file: BinaryIO | Path, *, name: str, batch_rows: int = 64) -> Iterator[Picture]:
    """The pictures of one Parquet shard like those of `ILSVRC/imagenet-1k`, in row order.

    Args:
        file: path, or seekable file object open for reading.
        name: what errors and origins call the file.
        batch_rows: rows held at a time; a batch and one page of the file are all that memory holds.

    Raises:
        NotFoundError: if there is no such file.
        SourceError: if it is damaged, has other columns, or a row has no bytes, path or possible label.
    """
    if batch_rows < 1:
        raise ConfigurationError(explain("batch_rows", found=batch_rows, allowed="1 or more"))
    row = 0
    for batch in _batches(file, name, batch_rows):
        image = batch.column("image")
        # flatten() hands the nulls of the struct down to its fields; field() would not.
        fields = dict(zip((field.name for field in image.type), image.flatten(), strict=True))
        columns = (fields["bytes"], fields["path"], batch.column("label"))
        for data, path, label in zip(*columns, strict=True):
            yield _picture(data, path, label, f"{name}:{row}")
            row += 1


def _batches(file: BinaryIO | Path, name: str, rows: int) -> Iterator[Any]:
    # With a buffer, and without reading ahead, a row group streams instead of lying in memory as a whole.
    with damage_named(name), pq.ParquetFile(file, buffer_size=1 << 20, pre_buffer=False) as parquet:
        check_schema(parquet.schema_arrow, name)
        yield from parquet.iter_batches(batch_size=rows, columns=["image", "label"], use_threads=False)


def check_schema(schema: Any, name: str) -> None:
    """Raise a SourceError, with the file's name, if it does not have the columns of `ILSVRC/imagenet-1k`."""
    if "image" not in schema.names or "label" not in schema.names:
        raise SourceError(explain(f"{name} lacks columns", found=schema.names, allowed="image and label"))
    image, label = schema.field("image").type, schema.field("label").type
    fields = {field.name: field.type for field in image} if pa.types.is_struct(image) else {}
    data, path = fields.get("bytes"), fields.get("path")
    if data not in {pa.binary(), pa.large_binary()} or path not in {pa.string(), pa.large_string()}:
        allowed = "struct<bytes: binary, path: string>"
        raise SourceError(explain(f"{name}, column 'image'", found=image, allowed=allowed))
    if label != pa.int64():
        raise SourceError(explain(f"{name}, column 'label'", found=label, allowed="int64"))


def _picture(data: Any, path: Any, label: Any, origin: str) -> Picture:
    """One row, of three Arrow scalars."""
    content: bytes | None = data.as_py()
    if not content:
        raise SourceError(f"{origin}: no image bytes; a path alone is not enough")
    try:
        key, _ = picture_key(path.as_py() or "")
    except UnicodeDecodeError as error:
        raise SourceError(f"{origin}: the path of the image is not UTF-8") from error
    if not key:
        raise SourceError(f"{origin}: the image has no path, so its key is not known")
    index: int | None = label.as_py()
    if index is not None and index < -1:
        raise SourceError(explain(f"{origin}: label", found=index, allowed="0 or more, or -1 for none"))
    return Picture(key, None if index == -1 else index, content, origin)
