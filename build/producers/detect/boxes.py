"""Detectors without a model: boxes that somebody gave beforehand, or a centred one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.format.masks import Box
from producers.detect.prompts import read_given
from producers.scene import Detection, Identity, Raster, Scene

Fractions = tuple[float, float, float, float]
"""x0, y0, x1, y1 as fractions of width and height, 0 to 1: the same for a file and for its raster."""


@dataclass(frozen=True)
class GivenBoxes:
    """Answers with the boxes which a file gives for an image's key; without an entry there is no object.

    Attributes:
        boxes: for each key its boxes.
        digest: of the file, which stands for a model's revision.
    """

    boxes: Mapping[str, tuple[Fractions, ...]]
    digest: str

    @property
    def identity(self) -> Identity:
        """The model, as the manifest names it."""
        return Identity(name="given boxes", model="file", revision=f"sha256:{self.digest}")

    def detect(self, scenes: Sequence[Scene]) -> list[list[Detection]]:
        """Return all boxes of a key, with score 1, for its first prompt."""
        return [[_detection(scene, box) for box in self.boxes.get(scene.key, ())] for scene in scenes]


@dataclass(frozen=True)
class CentredBox:
    """Answers with one box in the image's middle.

    Attributes:
        fraction: side of the box / side of the image, above 0, at most 1.
    """

    fraction: float = 0.8

    @property
    def identity(self) -> Identity:
        """The model, as the manifest names it."""
        return Identity(name="centred box", model="none", revision="1", settings=(("fraction", self.fraction),))

    def detect(self, scenes: Sequence[Scene]) -> list[list[Detection]]:
        """Return the box for each image's first prompt, with score 1."""
        low, high = (1 - self.fraction) / 2, (1 + self.fraction) / 2
        return [[_detection(scene, (low, low, high, high))] for scene in scenes]


def _detection(scene: Scene, box: Fractions) -> Detection:
    return Detection(box=pixel_box(box, scene.raster), score=1.0, prompt=scene.prompts[0])


def pixel_box(box: Fractions, raster: Raster) -> Box:
    """Return the box in pixels of a raster: rounded, and at least one pixel wide and high."""
    height, width = raster.shape[:2]
    x0, x1 = _pixels(box[0], box[2], width)
    y0, y1 = _pixels(box[1], box[3], height)
    return x0, y0, x1, y1


def _pixels(low: float, high: float, side: int) -> tuple[int, int]:
    start = min(round(low * side), side - 1)
    return start, max(round(high * side), start + 1)


def read_boxes(model: str | Path) -> GivenBoxes:
    """Read boxes from a JSON file: `{"n02123045_1": [[x0, y0, x1, y1], ...], ...}`, as fractions of width and height.

    Raises:
        NotFoundError: there is no such file.
        ConfigurationError: it is not JSON of that form.
    """
    path = Path(model)
    value, digest = read_given(path, "boxes")
    if not isinstance(value, dict) or not all(isinstance(boxes, list) for boxes in value.values()):
        allowed = 'an object like {"KEY": [[x0, y0, x1, y1]]}'
        raise ConfigurationError(explain(f"{path}: not a file of boxes", found=repr(value)[:80], allowed=allowed))
    boxes = {key: tuple(_fractions(box, f"{path}, {key}") for box in value[key]) for key in value}
    return GivenBoxes(boxes, digest)


def _fractions(value: object, where: str) -> Fractions:
    if isinstance(value, list) and len(value) == 4 and all(type(side) in {int, float} for side in value):
        x0, y0, x1, y1 = map(float, value)
        if 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1:
            return x0, y0, x1, y1
    allowed = "[x0, y0, x1, y1] with 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1 (fractions of width and height)"
    raise ConfigurationError(explain(f"{where}: not a box", found=repr(value)[:80], allowed=allowed))
