"""One image on its way through the models, and the kinds of models that chains consist of.

All models work on batches, none of which is empty. Their answers have the order and the length of what they were
asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from fornet_hf.format.masks import Box, Mask

Raster = npt.NDArray[np.uint8]  # height x width x 3, RGB; sizes may differ within a batch

SoftMap = npt.NDArray[np.uint8]  # height x width, 0 to 255

Point = tuple[int, int]  # x, y in pixels of the raster


@dataclass(frozen=True, kw_only=True)
class Detection:
    """One box.

    Attributes:
        box: in pixels of the raster, inside of it, not empty.
        score: confidence, 0 to 1.
        prompt: the one of the scene's prompts which it answers.
    """

    box: Box
    score: float
    prompt: str


@dataclass(frozen=True)
class Cut:
    """One way to cut the object out.

    Attributes:
        mask: of the object, of the raster's size; may be empty until `Merging` has left those out.
        prompt: the most confident one of those that found it.
        score: the best of the detections in it, 0 to 1.
        soft: how much each part of the image is the object: a map of any height x width, stretched over the whole
            raster, all those of one scene of the same size; None if the model makes masks alone.
    """

    mask: Mask
    prompt: str
    score: float
    soft: SoftMap | None = None


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One image, and what the steps so far have found in it; None where no step has looked yet.

    Attributes:
        key: of the image.
        raster: uint8, height x width x 3.
        prompts: descriptions of the object, most specific first; at least one.
        detections: boxes, in the order of the prompts.
        masks: objects, in the order of the prompts; two may be of the same object.
        versions: the distinct objects, the most confident first.
        infilled: for each version the raster without the object.
        emptied: number of versions of which a refiner left nothing.
    """

    key: str
    raster: Raster
    prompts: tuple[str, ...]
    detections: tuple[Detection, ...] | None = None
    masks: tuple[Cut, ...] | None = None
    versions: tuple[Cut, ...] | None = None
    infilled: tuple[Raster, ...] | None = None
    emptied: int = 0


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A model, as the manifest names it.

    Attributes:
        name: of the method, e.g. `grabcut`.
        model: id of the weights or name of the package that does it.
        revision: of the weights or of the package.
        settings: what else changes the result; JSON has values like these.
    """

    name: str
    model: str
    revision: str
    settings: tuple[tuple[str, object], ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return it as JSON object."""
        return {**asdict(self), "settings": dict(self.settings)}


class Identified(Protocol):
    """Any model."""

    @property
    def identity(self) -> Identity:
        """The model, as the manifest names it."""


class Detector(Identified, Protocol):
    """Finds the boxes of objects."""

    def detect(self, scenes: Sequence[Scene]) -> list[list[Detection]]:
        """Return the boxes in each image; an empty list where there is none."""


class Segmenter(Identified, Protocol):
    """Finds the object's pixels in a box."""

    def segment(self, rasters: Sequence[Raster], boxes: Sequence[Sequence[Box]]) -> list[list[Mask]]:
        """Return for each image a mask of the raster's size for each of its boxes. A mask may be empty."""


@runtime_checkable
class PointSegmenter(Identified, Protocol):
    """Finds the object's pixels around a point; a segmenter may be one, too."""

    def segment_points(self, rasters: Sequence[Raster], points: Sequence[Sequence[Point]]) -> list[list[Mask]]:
        """Return for each image a mask of the raster's size for each of its points. A mask may be empty."""


class Refiner(Identified, Protocol):
    """Makes rough masks exact."""

    def refine(self, rasters: Sequence[Raster], masks: Sequence[Mask], infiller: Infiller | None) -> list[Mask]:
        """Return each image's mask of the object, of the raster's size; empty where the rough one was wrong.

        `infiller` is that of the run.
        """


class Infiller(Identified, Protocol):
    """Invents what lies behind an object."""

    def infill(self, rasters: Sequence[Raster], holes: Sequence[Mask]) -> list[Raster]:
        """Return each image with new pixels where its hole is true; do not look at what lies outside of it."""
