"""The backgrounds of a dataset: which may be chosen, and their bytes at random access.

Only labels and ratios are held in memory. Bytes are read straight from the dataset's Arrow chunks, at a cost that
does not depend on the number of rows.
"""

from __future__ import annotations

import bisect
from typing import Any

import datasets
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.recombination.pools.pool import SelectedPool, Selection

COLUMNS = ("key", "label", "background", "foreground_ratio")


class BackgroundPool(SelectedPool):
    """The backgrounds of all rows of a dataset, as it was when the pool was made.

    `Selection` says which are chosen.

    Raises:
        ConfigurationError: the dataset has not the columns, or no background at all.
    """

    def __init__(self, dataset: datasets.Dataset, pruning_ratio: float = 0.8) -> None:
        if not isinstance(dataset, datasets.Dataset):
            what, then = "backgrounds need random access", "For a stream use recombine_stream(rows, ...)."
            allowed = "a datasets.Dataset, such as one split"
            raise ConfigurationError(explain(what, found=type(dataset).__name__, allowed=allowed, then=then))
        missing = [name for name in COLUMNS if name not in dataset.column_names]
        if missing:
            raise ConfigurationError(
                explain(
                    "the dataset cannot give backgrounds",
                    found=f"columns {dataset.column_names}",
                    allowed=f"a ForNet dataset with {list(COLUMNS)}",
                )
            )
        self._dataset = dataset.with_format(None).select_columns(list(COLUMNS))
        self._pruning_ratio = pruning_ratio
        _register_hash()
        self._index()

    def __getstate__(self) -> dict[str, Any]:
        return {"_dataset": self._dataset, "_pruning_ratio": self._pruning_ratio}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._index()

    def __deepcopy__(self, memo: object) -> BackgroundPool:
        return self  # nothing in it changes, and datasets copies its transform at every turn

    def __len__(self) -> int:
        return len(self._dataset)

    def _index(self) -> None:
        """Choose the rows that qualify, all and by class."""
        indices = _indices(self._dataset)
        keys = self._dataset.data.column("key")
        if indices is not None:
            keys = keys.take(pa.array(indices))
        self._columns = {name: _Chunks(self._dataset, name) for name in ("key", "background")}
        labels = _numbers(self._dataset, "label", np.int64)
        self._ratios = _numbers(self._dataset, "foreground_ratio", np.float32)
        present = _present(self._dataset, "background")
        if not present.any():
            raise ConfigurationError(
                explain(
                    "the dataset has no background", found=f"{len(labels)} rows", allowed="at least one background"
                )
            )
        super().__init__(Selection(keys, labels, self._ratios, present, self._pruning_ratio))

    def _fetch(self, row: int) -> bytes:
        data: bytes = self._columns["background"][row]
        return data

    def ratio(self, row: int) -> float:
        """Return the area of the object that was removed from that background / its area."""
        return float(self._ratios[row])

    def key(self, row: int) -> str:
        """Return the key of that row of the pool."""
        key: str = self._columns["key"][row]
        return key


def _register_hash() -> None:
    """Let `datasets` hash a pool by its dataset's fingerprint: the rows would take seconds, again at every select."""
    try:
        from datasets.utils._dill import pklregister  # has no public name; without it hashing is slow
    except ImportError:
        return

    def save(pickler: Any, pool: BackgroundPool) -> None:
        state = pool.__getstate__()
        values = state["_dataset"]._fingerprint, state["_pruning_ratio"]  # noqa: SLF001
        pickler.save_reduce(BackgroundPool, values, obj=pool)

    pklregister(BackgroundPool)(save)


class _Chunks:
    """Random access to one column of a dataset, around its formatting."""

    def __init__(self, dataset: datasets.Dataset, name: str) -> None:
        column: pa.ChunkedArray = dataset.data.column(name)
        self._chunks = [chunk.field("bytes") if name == "background" else chunk for chunk in column.chunks]
        self._ends = np.cumsum([len(chunk) for chunk in column.chunks]).tolist()
        self._rows = _indices(dataset)

    def __getitem__(self, row: int) -> Any:
        if self._rows is not None:
            row = int(self._rows[row])
        chunk = bisect.bisect_right(self._ends, row)
        return self._chunks[chunk][row - (self._ends[chunk - 1] if chunk else 0)].as_py()


def _indices(dataset: datasets.Dataset) -> npt.NDArray[np.uint64] | None:
    """Return the physical row of each row; None where they are the same. There is no public way to it."""
    table = dataset._indices  # noqa: SLF001
    return None if table is None else table.column(0).to_numpy()


def _numbers(dataset: datasets.Dataset, name: str, kind: type[np.generic]) -> npt.NDArray[Any]:
    """Return a column of numbers in the dataset's order of rows; null counts as 0."""
    values = np.asarray(dataset.data.column(name).fill_null(0).to_numpy(), dtype=kind)
    indices = _indices(dataset)
    return values if indices is None else values[indices]


def _present(dataset: datasets.Dataset, name: str) -> npt.NDArray[np.bool_]:
    """Return whether each row's value is there, in the dataset's order of rows."""
    valid: npt.NDArray[np.bool_] = dataset.data.column(name).is_valid().to_numpy()
    indices = _indices(dataset)
    return valid if indices is None else valid[indices]
