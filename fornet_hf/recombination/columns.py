"""Random access to columns of a dataset, around its formatting, at a cost that does not depend on the rows."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from typing import Any

import datasets
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


class Rows:
    """Rows of a dataset as they are stored, images as their bytes: nothing is opened nor decoded.

    Args:
        dataset: the rows.
        names: of their columns.

    Attributes:
        complete: all that `datasets` would make of these columns is there: numbers, texts, and the bytes of images.
    """

    def __init__(self, dataset: datasets.Dataset, names: Iterable[str]) -> None:
        self._data, self._indices, self.names = dataset._data, dataset._indices, tuple(names)  # noqa: SLF001
        features = dataset.features
        self.complete = all(n in features and _is_stored(features[n], dataset.data.column(n)) for n in self.names)
        self._columns = [Column(dataset, name) for name in self.names] if self.complete else []

    def belong_to(self, dataset: datasets.Dataset, names: Iterable[str]) -> bool:
        """Return whether these are that dataset's rows, with these columns."""
        same = self._data is dataset._data and self._indices is dataset._indices  # noqa: SLF001
        return same and self.names == tuple(names)

    def __getitem__(self, row: int) -> dict[str, Any]:
        return {name: column[row] for name, column in zip(self.names, self._columns, strict=True)}

    def __reduce__(self) -> tuple[Any, ...]:
        return _none, ()  # made again where they are needed: pickled and copied datasets carry their data anyway

    def __deepcopy__(self, memo: object) -> Rows:
        return self


def _none() -> None:
    return None


def _is_stored(feature: Any, column: pa.ChunkedArray) -> bool:
    if isinstance(feature, datasets.Image):
        kept = pc.struct_field(column, "bytes").null_count == column.null_count  # else some are files
        return feature.mode is None and kept
    lists = pa.types.is_list(column.type) or pa.types.is_large_list(column.type)
    return isinstance(feature, (datasets.Value, datasets.ClassLabel)) or (
        lists and pa.types.is_primitive(column.type.value_type)
    )


class Column:
    """One column of a dataset; of images their bytes."""

    def __init__(self, dataset: datasets.Dataset, name: str) -> None:
        column: pa.ChunkedArray = dataset.data.column(name)
        images = pa.types.is_struct(column.type)
        chunks = [pc.struct_field(chunk, "bytes") if images else chunk for chunk in column.chunks]
        read = _BYTES.get(chunks[0].type) if chunks else None
        self._chunks = [_Scalars(chunk) if read is None else _Bytes(chunk, *read) for chunk in chunks]
        self._ends = np.cumsum([len(chunk) for chunk in column.chunks]).tolist()
        self._rows = indices(dataset)

    def __getitem__(self, row: int) -> Any:
        if self._rows is not None:
            row = int(self._rows[row])
        chunk = bisect.bisect_right(self._ends, row)
        return self._chunks[chunk][row - (self._ends[chunk - 1] if chunk else 0)]


_BYTES: dict[pa.DataType, tuple[type[np.integer[Any]], bool]] = {
    pa.binary(): (np.int32, False),
    pa.large_binary(): (np.int64, False),
    pa.string(): (np.int32, True),
    pa.large_string(): (np.int64, True),
}
"""Type of the offsets, and whether it is text."""


class _Scalars:
    """The values of an array."""

    def __init__(self, array: pa.Array) -> None:
        self._array = array

    def __getitem__(self, row: int) -> Any:
        return self._array[row].as_py()


class _Bytes:
    """The bytes, or texts, of an array: a tenth of the time that a scalar of Arrow takes to be made."""

    def __init__(self, array: pa.Array, kind: type[np.integer[Any]], text: bool) -> None:  # noqa: FBT001
        _, offsets, data = array.buffers()
        self._bounds = np.frombuffer(offsets, kind)[array.offset :]
        self._data, self._text = memoryview(data or b""), text
        self._valid = array.is_valid().to_numpy(zero_copy_only=False) if array.null_count else None

    def __getitem__(self, row: int) -> bytes | str | None:
        if self._valid is not None and not self._valid[row]:
            return None
        value = bytes(self._data[self._bounds[row] : self._bounds[row + 1]])
        return value.decode() if self._text else value


def indices(dataset: datasets.Dataset) -> npt.NDArray[np.uint64] | None:
    """Return the physical row of each row; None where they are the same. There is no public way to it."""
    table = dataset._indices  # noqa: SLF001
    return None if table is None else table.column(0).to_numpy()


def numbers(dataset: datasets.Dataset, name: str, kind: type[np.generic], null: int = 0) -> npt.NDArray[Any]:
    """Return a column of numbers in the dataset's order of rows, with another number in the place of null."""
    values = np.asarray(dataset.data.column(name).fill_null(null).to_numpy(), dtype=kind)
    rows = indices(dataset)
    return values if rows is None else values[rows]


def filled(dataset: datasets.Dataset, name: str) -> npt.NDArray[np.bool_]:
    """Return whether each row's value is there, in the dataset's order of rows."""
    valid: npt.NDArray[np.bool_] = dataset.data.column(name).is_valid().to_numpy()
    rows = indices(dataset)
    return valid if rows is None else valid[rows]
