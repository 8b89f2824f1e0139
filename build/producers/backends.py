"""What a model has to do to take images apart: detect, segment, infill.

All three work on batches, so that models on a GPU stand behind the same interfaces as the weights-free pair.
Results have the order and the length of what they were asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fornet_hf.format.masks import Box, Mask

Raster = npt.NDArray[np.uint8]  # height x width x 3, RGB; sizes may differ within a batch


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What the manifest says about a backend.

    Attributes:
        name: of the method, e.g. `grabcut`.
        model: id of the weights or name of the package that does it.
        revision: of the weights or of the package.
        settings: what else changes the result.
    """

    name: str
    model: str
    revision: str
    settings: tuple[tuple[str, str | int | float], ...] = ()

    def to_json(self) -> dict[str, object]:
        """As JSON object."""
        return {**asdict(self), "settings": dict(self.settings)}


@dataclass(frozen=True, kw_only=True)
class Query:
    """One image in which objects are to be found.

    Attributes:
        key: of the image.
        raster: uint8, height x width x 3.
        prompts: descriptions of the object, most specific first; at least one.
    """

    key: str
    raster: Raster
    prompts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Detection:
    """One box.

    Attributes:
        box: in pixels of the raster, inside of it, not empty.
        score: confidence, 0 to 1.
        prompt: the one of the query's prompts which it answers.
    """

    box: Box
    score: float
    prompt: str


class Detector(Protocol):
    """Finds the boxes of objects."""

    @property
    def identity(self) -> Identity:
        """What the manifest says about it."""

    def detect(self, queries: Sequence[Query]) -> list[list[Detection]]:
        """The boxes in each image; an empty list where there is none."""


class Segmenter(Protocol):
    """Finds the object's pixels in a box."""

    @property
    def identity(self) -> Identity:
        """What the manifest says about it."""

    def segment(self, rasters: Sequence[Raster], boxes: Sequence[Sequence[Box]]) -> list[list[Mask]]:
        """For each image a mask of the raster's size for each of its boxes. A mask may be empty."""


class Infiller(Protocol):
    """Invents what lies behind an object."""

    @property
    def identity(self) -> Identity:
        """What the manifest says about it."""

    def infill(self, rasters: Sequence[Raster], holes: Sequence[Mask]) -> list[Raster]:
        """Each image with new pixels where its hole is true; what lies outside of it is not looked at."""


@dataclass(frozen=True, kw_only=True)
class Backends:
    """The three together."""

    detector: Detector
    segmenter: Segmenter
    infiller: Infiller

    def to_json(self) -> dict[str, object]:
        """Their identities as JSON object."""
        return {
            "detector": self.detector.identity.to_json(),
            "segmenter": self.segmenter.identity.to_json(),
            "infiller": self.infiller.identity.to_json(),
        }
