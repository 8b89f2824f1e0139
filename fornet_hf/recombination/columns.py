"""Random access to single columns of a dataset, around its formatting, at a cost that does not depend on the rows."""

from __future__ import annotations

import bisect
from typing import Any

import datasets
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


class Column:
    """One column of a dataset; of images their bytes."""

    def __init__(self, dataset: datasets.Dataset, name: str) -> None:
        column: pa.ChunkedArray = dataset.data.column(name)
        images = pa.types.is_struct(column.type)
        self._chunks = [pc.struct_field(chunk, "bytes") if images else chunk for chunk in column.chunks]
        self._ends = np.cumsum([len(chunk) for chunk in column.chunks]).tolist()
        self._rows = indices(dataset)

    def __getitem__(self, row: int) -> Any:
        if self._rows is not None:
            row = int(self._rows[row])
        chunk = bisect.bisect_right(self._ends, row)
        return self._chunks[chunk][row - (self._ends[chunk - 1] if chunk else 0)].as_py()


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
