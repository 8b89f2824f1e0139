"""Shares of images, and of their importance, that are foreground; and the files by which a killed run goes on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fornet_hf.files import atomic_path


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

    def write(self, path: Path, images: range) -> None:
        """Write some of them to a file, which is there as a whole or not at all."""
        rows = [
            [_number(self.area[one]), *map(_number, self.importance[one]), self.reasons.get(one, "")]
            for one in images
        ]
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(rows), encoding="utf-8")

    def read(self, path: Path, images: range) -> bool:
        """Take over what a file has of some images; return whether it is there and whole."""
        try:
            rows = json.loads(path.read_text(encoding="utf-8"))
            values = np.array([row[:-1] for row in rows], np.float64)
        except (OSError, ValueError, TypeError):
            return False
        if values.shape != (len(images), 1 + self.importance.shape[1]):
            return False
        self.area[list(images)], self.importance[list(images)] = values[:, 0], values[:, 1:]
        self.reasons.update({one: row[-1] for one, row in zip(images, rows, strict=True) if row[-1]})
        return True


def _number(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)  # None becomes NaN again
