"""The images of a challenge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt


class Foreground(NamedTuple):
    """One object.

    Attributes:
        image: uint8, 3 x height x width: the original.
        mask: float32, height x width, 0 to 1: how much of each pixel is the object.
    """

    image: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.float32]


class ChallengeImages(Protocol):
    """Foregrounds and backgrounds, all of one size; they are read in several threads."""

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the classes."""

    @property
    def fingerprint(self) -> str:
        """Digest of all images and their names."""

    @property
    def foregrounds(self) -> Sequence[str]:
        """Name of each foreground, none twice."""

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """Class of each foreground."""

    @property
    def backgrounds(self) -> Sequence[str]:
        """Name of each background, none twice."""

    @property
    def background_labels(self) -> npt.NDArray[np.int64]:
        """Class of each background."""

    @property
    def left_out(self) -> Mapping[str, int]:
        """Objects that cannot be shown, by reason."""

    def foreground(self, number: int) -> Foreground:
        """Return a foreground."""

    def background(self, number: int) -> npt.NDArray[np.uint8]:
        """Return a background: uint8, 3 x height x width."""
        ...
