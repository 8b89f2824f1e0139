"""Images in the Parquet shards of a Hub dataset, such as `ILSVRC/imagenet-1k`."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import repeat
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from fornet_hf.errors import ConfigurationError, ForNetError, NotFoundError, SourceError, explain
from fornet_hf.format.keys import SHARD, image_key, key_of_row, shard_name
from fornet_hf.sources.columns import Columns, features_of
from fornet_hf.sources.image import SourceImage, split_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path


@contextmanager
def damage_named(name: object) -> Iterator[None]:
    """Raise our errors where reading a Parquet file that errors call `name`.

    Raises:
        NotFoundError: if there is no such file.
        SourceError: if it is damaged.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError(f"no Parquet file {name}") from error
    except ForNetError:
        raise  # the file is on the Hub, and could not be read there
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # a failing disk or connection: the file itself may be sound
        raise SourceError(
            explain(f"{name} cannot be read as Parquet", found=error, then="Download it again.")
        ) from error


def shard_files(folder: Path, split: str) -> list[Path]:
    """Return the Parquet shards of a split, `train-00000-of-00294.parquet` on, in order.

    They are looked for in `folder/data`, where the Hub's repositories have them, then in `folder`.

    Raises:
        NotFoundError: if there are none, or some are missing.
        SourceError: if shards of several conversions lie together.
    """
    files = [path for place in (folder / "data", folder) if place.is_dir() for path in place.iterdir()]
    names = [path.relative_to(folder).as_posix() for path in files]
    return [folder / name for name in shard_names(names, split, str(folder))]


def shard_names(paths: Collection[str], split: str, where: str = "the source") -> list[str]:
    """Return those of a repository's paths that are the Parquet shards of a split, in order; as `shard_files`."""
    names = split_names(split)
    for place in ("data/", ""):
        inside = [path.removeprefix(place) for path in paths if path.startswith(place)]
        matches = [match for match in map(SHARD.fullmatch, inside) if match and match["stem"] in names]
        if matches:
            sets = sorted({(match["stem"], match["count"]) for match in matches})
            found = _complete_set(f"{where}/{place}", {match[0] for match in matches}, sets)
            return [place + name for name in found]
    example = f"{where}/data/{names[-1]}-00000-of-NNNNN.parquet"
    raise NotFoundError(explain(f"no shards of split {split!r}", then=f"Expected {example}"))


def _complete_set(place: str, names: Collection[str], sets: list[tuple[str, str]]) -> list[str]:
    """Return the names of all shards of the set, if it is one set and these are they."""
    if len(sets) > 1:
        found = [f"{split}-*-of-{count}" for split, count in sets]
        raise SourceError(explain(f"shards of several sets in {place}", found=found, allowed="one set"))
    ((split, count),) = sets
    expected = [shard_name(split, index, int(count)) for index in range(int(count))]
    if missing := [name for name in expected if name not in names]:
        some = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        what = f"{len(missing)} of {int(count)} shards missing in {place}: {some}"
        raise NotFoundError(explain(what, then="Download them again"))
    if extra := sorted(set(names) - set(expected)):
        raise SourceError(explain(f"shards beyond {count} in {place}", found=extra))
    return expected


def iter_images(
    file: BinaryIO | Path,
    *,
    name: str,
    batch_rows: int = 64,
    columns: Columns | None = None,
    by_row: bool = False,
) -> Iterator[SourceImage]:
    """Yield the images of one Parquet shard, in row order.

    Args:
        file: path, or seekable file object open for reading.
        name: what errors and origins call the file.
        batch_rows: rows held at a time; a batch and one page of the file are all that memory holds.
        columns: of images and labels; by default found by their names and types.
        by_row: whether keys are those of `key_of_row`, not the names in the images' paths.

    Raises:
        NotFoundError: if there is no such file.
        SourceError: if it is damaged, has other columns, or a row has no bytes, path or possible label.
    """
    if batch_rows < 1:
        raise ConfigurationError(explain("batch_rows", found=batch_rows, allowed="1 or more"))
    row = 0
    for images, labels in _batches(file, name, batch_rows, columns or Columns()):
        # flatten() hands the nulls of the struct down to its fields; field() would not.
        fields = dict(zip((field.name for field in images.type), images.flatten(), strict=True))
        paths = fields.get("path", repeat(pa.scalar(None, pa.string()), len(images)))
        for data, path, label in zip(fields["bytes"], paths, labels, strict=True):
            content: bytes | None = data.as_py()
            origin = f"{name}:{row}"
            if not content:
                raise SourceError(f"{origin}: no image bytes; a path alone is not enough")
            key = key_of_row(name, row) if by_row else _key(path, origin)
            yield SourceImage(key, _label(label, origin), content, origin)
            row += 1


def _batches(file: BinaryIO | Path, name: str, rows: int, columns: Columns) -> Iterator[tuple[Any, Any]]:
    # With a buffer, and without reading ahead, a row group streams instead of lying in memory as a whole.
    with damage_named(name), pq.ParquetFile(file, buffer_size=1 << 20, pre_buffer=False) as parquet:
        image, label = columns.found_in(parquet.schema_arrow, name)
        for batch in parquet.iter_batches(batch_size=rows, columns=[image, label], use_threads=False):
            yield batch.column(image), batch.column(label)


def label_names(file: Path, column: str = "label") -> tuple[str, ...] | None:
    """Return the names of a column's labels in their order; None if the file does not tell.

    Raises:
        NotFoundError: if there is no such file.
        SourceError: if it is damaged, or tells what cannot be.
    """
    with damage_named(file):
        schema = pq.read_schema(file)
    feature = features_of(schema, str(file)).get(column)
    names = feature.get("names") if isinstance(feature, dict) else None
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SourceError(explain(f"{file}: names of labels", found=repr(names)[:80], allowed="a list of strings"))
    return tuple(names)


def keys_in_shard(file: BinaryIO | Path, *, name: str, columns: Columns | None = None) -> list[str | None]:
    """Return the keys in the paths of a shard's images, in row order; None where a path cannot be read.

    Raises:
        NotFoundError: if there is no such file.
        SourceError: if it is damaged, or has other columns.
    """
    with damage_named(name), pq.ParquetFile(file, pre_buffer=False) as parquet:
        image, _ = (columns or Columns()).found_in(parquet.schema_arrow, name)
        if "path" not in {field.name for field in parquet.schema_arrow.field(image).type}:
            return [None] * parquet.metadata.num_rows
        table = parquet.read(columns=[f"{image}.path"], use_threads=False).flatten()
    return [_key_or_none(path) for path in table.column(f"{image}.path")]


def _key_or_none(path: Any) -> str | None:
    try:
        return image_key(path.as_py() or "")[0] or None
    except UnicodeDecodeError:
        return None


def _key(path: Any, origin: str) -> str:
    """Return the key of one row, of an Arrow scalar."""
    try:
        key, _ = image_key(path.as_py() or "")
    except UnicodeDecodeError as error:
        raise SourceError(f"{origin}: the path of the image is not UTF-8") from error
    if not key:
        raise SourceError(f"{origin}: the image has no path, so its key is not known")
    return key


def _label(label: Any, origin: str) -> int | None:
    """Return the label of one row, of an Arrow scalar."""
    index: int | None = label.as_py()
    if index is not None and index < -1:
        raise SourceError(explain(f"{origin}: label", found=index, allowed="0 or more, or -1 for none"))
    return None if index == -1 else index
