"""Stimuli for classifiers: items, each in one condition or more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from fornet_hf.evaluation.labels import NO_LABEL
from fornet_hf.evaluation.models.preprocessing import Preprocessing


class View(NamedTuple):
    """One image of an item.

    Attributes:
        condition: number of the condition in `Stimuli.conditions`.
        image: uint8, 3 x size x size, as the classifier sees it before normalising.
        background: key of the image that the background comes from; empty: the item's own, if that has no name in
            the data, or not known.
        background_label: class of that image, `NO_LABEL` where its key is empty or its class not known.
    """

    condition: int
    image: npt.NDArray[np.uint8]
    background: str = ""
    background_label: int = NO_LABEL


class Shown(NamedTuple):
    """All images of one item.

    Attributes:
        views: one for each condition in which it can be shown.
        missing: for each other condition, by number, the reason, such as "no foreground".
    """

    views: Sequence[View]
    missing: Mapping[int, str]


class Stimuli(Protocol):
    """Items and conditions. They travel to worker processes, and make the same images in each of them."""

    @property
    def conditions(self) -> Sequence[str]:
        """Names of the conditions."""

    @property
    def keys(self) -> Sequence[str]:
        """Name of each item, none twice."""

    @property
    def sources(self) -> Sequence[str]:
        """Key of the source image of each item; items of one source image are resampled together."""

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """Class of each item."""

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the classes: wnids or ImageNet's names where they are ImageNet's."""

    @property
    def fingerprint(self) -> str:
        """Digest of all that decides on the images, preprocessing apart."""

    def shown(self, item: int, preprocessing: Preprocessing) -> Shown:
        """Return the images of an item."""
        ...
