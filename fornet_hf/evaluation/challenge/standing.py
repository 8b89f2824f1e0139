"""The standing of each foreground: the backgrounds that it has met, and the first that fooled the classifier."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fornet_hf.files import write_text

Numbers = npt.NDArray[np.int64]
NOBODY = -1


class Standing:
    """The state of a challenge; arrays have a number for each foreground.

    Attributes:
        tried: backgrounds met, in their order, up to the one that decided.
        fooled: place in the order of the first background with which the answer is wrong; `NOBODY`: none so far.
        answers: class that was answered then.
        targeted: whether a foreground is decided only with both of the following.
        attacked: place of the first background of another class whose class is the answer.
    """

    def __init__(self, keys: Sequence[str], backgrounds: int, *, targeted: bool) -> None:
        self._keys, self._backgrounds, self.targeted = keys, backgrounds, targeted
        self.tried = np.zeros(len(keys), np.int64)
        self.fooled, self.answers, self.attacked = (np.full(len(keys), NOBODY, np.int64) for _ in range(3))

    @property
    def lost(self) -> npt.NDArray[np.bool_]:
        """Foregrounds (bool) about which the classifier was fooled in all ways that are asked for."""
        wanted = self.attacked if self.targeted else self.fooled
        return np.asarray((self.fooled != NOBODY) & (wanted != NOBODY))

    @property
    def decided(self) -> npt.NDArray[np.bool_]:
        """Foregrounds (bool) that need not meet more backgrounds."""
        return np.asarray(self.lost | (self.tried == self._backgrounds))

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
            foregrounds: of each pair.
            places: of its background in the order.
            answers: class that the classifier answers.
            labels: class of the foreground.
            background_labels: class of the background.
        """
        wrong = answers != labels
        np.maximum.at(self.tried, foregrounds, places + 1)
        for foreground in np.unique(foregrounds[wrong]).tolist():
            pairs = np.flatnonzero(wrong & (foregrounds == foreground))
            if self.fooled[foreground] == NOBODY:
                self.fooled[foreground], self.answers[foreground] = places[pairs[0]], answers[pairs[0]]
            taken = pairs[answers[pairs] == background_labels[pairs]]
            if self.attacked[foreground] == NOBODY and len(taken):
                self.attacked[foreground] = places[taken[0]]
        lost = np.intersect1d(foregrounds, np.flatnonzero(self.lost))
        self.tried[lost] = np.maximum(self.fooled[lost], self.attacked[lost] if self.targeted else NOBODY) + 1

    def write(self, path: Path) -> None:
        """Keep it in a file."""
        columns = self.tried, self.fooled, self.answers, self.attacked
        rows = np.stack(columns, axis=1).tolist()
        state = {key: row for key, row in zip(self._keys, rows, strict=True) if row[0]}
        write_text(path, json.dumps(state) + "\n")

    def read(self, folder: Path) -> None:
        """Take over what any process has kept in a folder, where it is farther; damaged files are passed over."""
        for path in sorted(folder.glob("*.json")):
            try:
                state = json.loads(path.read_bytes())
            except (OSError, ValueError):
                continue
            self._merge(state)

    def _merge(self, state: Mapping[str, Sequence[int]]) -> None:
        for number, key in enumerate(self._keys):
            row = state.get(key)
            if row is not None and row[0] > self.tried[number]:
                self.tried[number], self.fooled[number], self.answers[number], self.attacked[number] = row
