"""The end of a challenge: its figures, and a table of the backgrounds that fooled the classifier."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fornet_hf.evaluation.challenge.standing import NOBODY, Numbers, Standing
from fornet_hf.evaluation.challenge.tree import TreeImages
from fornet_hf.evaluation.measures.in9 import imbalance
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from fornet_hf.evaluation.statistics.values import Value
from fornet_hf.files import atomic_path

TABLE = "challenge.csv"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The end of a challenge; arrays have an entry for each foreground.

    Attributes:
        images: of it.
        order: numbers of the backgrounds as they were met.
        standing: of each foreground.
    """

    images: TreeImages
    order: Numbers
    standing: Standing

    def values(self, bootstrap: Bootstrap) -> list[Value]:
        """Return challenge accuracy, of all and by class, and its variant by the background's class."""
        labels, names = np.asarray(self.images.labels), self.images.class_names
        share = partial(_share, sources=self.images.foregrounds, bootstrap=bootstrap)
        withstood = self.standing.fooled == NOBODY
        every = np.ones(len(labels), np.bool_)
        forwards = f"{self.standing.tried.sum():,} composites until all were decided"
        whole = share(withstood, every, "", left_out=self.images.left_out)
        values = [whole.noted(forwards, imbalance(labels, names))]
        values += [share(withstood, labels == label, f"class {name}") for label, name in enumerate(names)]
        if self.standing.targeted:
            unharmed = self.standing.attacked == NOBODY
            values.append(share(unharmed, every, "targeted", left_out=self.images.left_out))
        return values

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row for each foreground: the background that fooled the classifier about it, and the answer."""
        images, standing = self.images, self.standing
        for number, key in enumerate(images.foregrounds):
            fooled, attacked = (one[number] for one in (standing.fooled, standing.attacked))
            answer = int(standing.answers[number])
            background = None if fooled == NOBODY else int(self.order[fooled])
            yield {
                "foreground": key,
                "class": images.class_names[images.labels[number]],
                "tried": int(standing.tried[number]),
                "background": "" if background is None else images.backgrounds[background],
                "background_class": ""
                if background is None
                else images.class_names[images.background_labels[background]],
                "predicted": "" if answer < 0 else images.class_names[answer],
                "attacked_by": "" if attacked == NOBODY else images.backgrounds[int(self.order[attacked])],
            }

    def write(self, path: Path, of: Mapping[str, object]) -> None:
        """Write the rows as CSV; each says first what it is of, by column: the model, the data, ..."""
        rows = [{**of, **row} for row in self.rows()]
        with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, [*rows[0]])
            writer.writeheader()
            writer.writerows(rows)


def _share(
    right: npt.NDArray[np.bool_],
    chosen: npt.NDArray[np.bool_],
    part: str,
    *,
    sources: Sequence[str],
    bootstrap: Bootstrap,
    left_out: Mapping[str, int] | None = None,
) -> Value:
    if not chosen.any():
        return Value(measure="challenge", part=part, value=None, n=0, note="no such images")
    keys = [sources[number] for number in np.flatnonzero(chosen).tolist()]
    samples = right[chosen][:, None].astype(np.float64)
    return bootstrap.estimate("challenge", samples, keys, part=part, left_out=left_out)
