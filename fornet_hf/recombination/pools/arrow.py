"""The backgrounds of a dataset: which may be chosen, and their bytes at random access.

Only labels and ratios are held in memory. Bytes are read straight from the dataset's Arrow chunks, at a cost that
does not depend on the number of rows.
"""

from __future__ import annotations

from typing import Any

import datasets
import numpy as np
import pyarrow as pa

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.recombination.columns import Column, filled, indices, numbers
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
        rows = indices(self._dataset)
        keys = self._dataset.data.column("key")
        if rows is not None:
            keys = keys.take(pa.array(rows))
        self._columns = {name: Column(self._dataset, name) for name in ("key", "background")}
        labels = numbers(self._dataset, "label", np.int64, null=-1)
        self._ratios = numbers(self._dataset, "foreground_ratio", np.float32)
        present = filled(self._dataset, "background")
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
