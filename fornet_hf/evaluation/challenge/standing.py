"""The standing of each foreground: the backgrounds that it has met, and the first that fooled the classifier."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fornet_hf.evaluation.labels import NO_LABEL

Numbers = npt.NDArray[np.int64]
NOBODY = -1
SCHEMA = pa.schema(dict.fromkeys(("item", "tried", "fooled", "answer", "attacked"), pa.int64()))
"""Of a standing that is kept: a row for each foreground, see `Standing`."""


class Standing:
    """The state of a challenge; arrays have a number for each foreground.

    Attributes:
        tried: backgrounds met, in their order, up to the one that decided.
        fooled: place in the order of the first background with which the answer is wrong; `NOBODY`: none so far.
        answers: class that was answered then; `NO_LABEL`: none of the classes.
        targeted: whether a foreground is decided only with both of the following.
        attacked: place of the first background of another class whose class is the answer.
    """

    def __init__(self, foregrounds: int, backgrounds: int, *, targeted: bool) -> None:
        self._backgrounds, self.targeted = backgrounds, targeted
        self.tried = np.zeros(foregrounds, np.int64)
        self.fooled, self.attacked = (np.full(foregrounds, NOBODY, np.int64) for _ in range(2))
        self.answers = np.full(foregrounds, NO_LABEL, np.int64)

    @property
    def lost(self) -> npt.NDArray[np.bool_]:
        """Foregrounds (bool) about which the classifier was fooled in all ways that are asked for."""
        wanted = self.attacked if self.targeted else self.fooled
        return np.asarray((self.fooled != NOBODY) & (wanted != NOBODY))

    @property
    def decided(self) -> npt.NDArray[np.bool_]:
        """Foregrounds (bool) that need not meet more backgrounds."""
        return np.asarray(self.lost | (self.tried == self._backgrounds))

    @property
    def undecided(self) -> list[int]:
        """Numbers of all other foregrounds."""
        numbers: list[int] = np.flatnonzero(~self.decided).tolist()
        return numbers

    def settled(self, foregrounds: Numbers) -> int:
        """Return the number of pairs of some foregrounds that are tried, or need not be."""
        return int(np.where(self.decided, self._backgrounds, self.tried)[foregrounds].sum())

    def deal(self, active: Numbers, size: int) -> tuple[Numbers, Numbers]:
        """Return the next pairs, at most `size`: foregrounds and places; all active ones get about as many."""
        each = size // len(active) + (np.arange(len(active)) < size % len(active))
        each = np.minimum(each, self._backgrounds - self.tried[active])
        foregrounds = active.repeat(each)
        within = np.arange(len(foregrounds)) - (each.cumsum() - each).repeat(each)
        return foregrounds, self.tried[foregrounds] + within

    def take(
        self, foregrounds: Numbers, places: Numbers, answers: Numbers, labels: Numbers, background_labels: Numbers
    ) -> None:
        """Note the answers to pairs that were dealt.

        What follows on the background that decided is not looked at, so that nothing depends on how many were dealt.

        Args:
            foregrounds: of each pair; those of one foreground in the order of their places.
            places: of its background in the order.
            answers: class that the classifier answers.
            labels: class of the foreground.
            background_labels: class of the background.
        """
        wrong = answers != labels
        np.maximum.at(self.tried, foregrounds, places + 1)
        self._note(self.fooled, foregrounds, wrong, places)
        first = wrong & (places == self.fooled[foregrounds])
        self.answers[foregrounds[first]] = answers[first]
        self._note(self.attacked, foregrounds, wrong & (answers == background_labels), places)
        lost = np.intersect1d(foregrounds, np.flatnonzero(self.lost))
        self.tried[lost] = np.maximum(self.fooled[lost], self.attacked[lost] if self.targeted else NOBODY) + 1

    @staticmethod
    def _note(noted: Numbers, foregrounds: Numbers, these: npt.NDArray[np.bool_], places: Numbers) -> None:
        """Note the first place of these pairs for each foreground that has none yet."""
        found, first = np.unique(foregrounds[these], return_index=True)
        new = noted[found] == NOBODY
        noted[found[new]] = places[these][first[new]]

    def table(self) -> pa.Table:
        """Return what is known of the foregrounds that have met a background, by `SCHEMA`."""
        met = np.flatnonzero(self.tried)
        columns = met, *(column[met] for column in self._columns())
        return pa.table(dict(zip(SCHEMA.names, columns, strict=True)), SCHEMA)

    def add(self, table: pa.Table) -> None:
        """Take over what a table says of foregrounds that are farther in it."""
        items, *columns = (column.to_numpy() for column in table.columns)
        farther = columns[0] > self.tried[items]
        for mine, other in zip(self._columns(), columns, strict=True):
            mine[items[farther]] = other[farther]

    def _columns(self) -> tuple[Numbers, ...]:
        return self.tried, self.fooled, self.answers, self.attacked
