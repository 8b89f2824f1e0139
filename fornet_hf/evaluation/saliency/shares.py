"""Shares of images, and of their importance, that are foreground."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa


@dataclass
class Shares:
    """Parts of each image that are on its foreground.

    Attributes:
        area: float64, images: share of the pixels, 0 to 1; NaN where the image was not shown.
        importance: float64, images x methods: share of the importance, 0 to 1; NaN where it is not defined, as there
            is none anywhere.
        reasons: why an image was not shown, by its number.
    """

    area: npt.NDArray[np.float64]
    importance: npt.NDArray[np.float64]
    reasons: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, images: int, methods: int) -> Shares:
        """Return the shares of images before any is shown."""
        return cls(np.full(images, np.nan), np.full((images, methods), np.nan))

    def table(self, items: range) -> pa.Table:
        """Return those of some images, by `schema`."""
        rows = slice(items.start, items.stop)
        columns = [
            list(items),
            self.area[rows],
            *self.importance[rows].T,
            [self.reasons.get(one, "") for one in items],
        ]
        named = schema(self.importance.shape[1])
        return pa.table(dict(zip(named.names, columns, strict=True)), named)

    def add(self, table: pa.Table) -> None:
        """Take over those of a table."""
        items, area, *importance, reasons = (column.to_numpy() for column in table.columns)
        self.area[items], self.importance[items] = area, np.stack(importance, 1)
        named = zip(items.tolist(), reasons, strict=True)
        self.reasons.update({item: reason for item, reason in named if reason})


def schema(methods: int) -> pa.Schema:
    """Return the columns of shares that are kept: a row for each image."""
    shares = ["area", *(f"importance {number}" for number in range(methods))]
    return pa.schema({"item": pa.int32(), **dict.fromkeys(shares, pa.float64()), "reason": pa.string()})
