"""Taking images apart: from source bytes to candidates, or to the reason why there are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fornet_hf.errors import SourceError
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.masks import Mask
from fornet_hf.format.raster import canonical_raster
from producers.scene import Detection, Raster, Scene, SoftMap
from producers.step import Backends, Step
from producers.work.plan import Labelled
from producers.work.report import Lost, Report


@dataclass(frozen=True)
class Candidate:
    """One way to take an image apart.

    Attributes:
        version: 0 for the most confident one.
        mask: bool, height x width of the canonical raster: the object.
        infilled: uint8, height x width x 3: the raster without the object.
        prompt: the most confident one which found it.
        score: of the detection, 0 to 1.
        soft: how much each part of the image is the object; None if the model made masks alone.
        detections: all boxes in the image, in the order of the prompts; None if no detector looked, and in versions
            other than 0.
    """

    version: int
    mask: Mask
    infilled: Raster
    prompt: str
    score: float
    soft: SoftMap | None = None
    detections: tuple[Detection, ...] | None = None


Outcome = tuple[Candidate, ...] | Lost
"""The candidates of an image, at least one; or why there are none."""


def take_apart(images: Sequence[Labelled], backends: Backends, encoding: Encoding, report: Report) -> list[Outcome]:
    """Return the outcome for each image, in order.

    An image that cannot be used never stops the others. The report gets the times and nothing else: whether a
    image counts as ok is only known when its patch is made.
    """
    with report.clock("decode"):
        rasters = [raster_of(image, encoding) for image in images]
    scenes = [
        scene_of(image, raster) for image, raster in zip(images, rasters, strict=True) if not isinstance(raster, Lost)
    ]
    for step in backends.steps(encoding.dilation):
        scenes = take(step, scenes, report)
    found = iter(scenes)
    return [raster if isinstance(raster, Lost) else outcome_of(next(found)) for raster in rasters]


def raster_of(image: Labelled, encoding: Encoding) -> Raster | Lost:
    """Return its canonical raster, or why there is none."""
    try:
        return np.asarray(canonical_raster(image.data, encoding.max_side))
    except SourceError as error:
        return Lost(image.key, "error", "SourceError", str(error))


def scene_of(image: Labelled, raster: Raster) -> Scene:
    """Return an image as no step has looked at it yet."""
    return Scene(key=image.key, raster=raster, prompts=image.prompts)


def take(step: Step, scenes: Sequence[Scene], report: Report) -> list[Scene]:
    """Take scenes through a step; the report gets the time.

    Raises:
        TypeError: the step gave other scenes back.
        Exception: what its model raises.
    """
    with report.clock(step.stage):
        found = step(scenes)
    if [scene.key for scene in found] != [scene.key for scene in scenes]:
        raise TypeError(f"{type(step).__name__} gave other scenes back than it got, or in another order")
    return found


def outcome_of(scene: Scene) -> Outcome:
    """Return the outcome of an image that has gone through all steps."""
    return _candidates(scene) if scene.versions else _not_found(scene)


def _candidates(scene: Scene) -> tuple[Candidate, ...]:
    found = zip(scene.versions or (), scene.infilled or (), strict=True)
    return tuple(
        Candidate(number, cut.mask, pixels, cut.prompt, cut.score, cut.soft, None if number else scene.detections)
        for number, (cut, pixels) in enumerate(found)
    )


def _not_found(scene: Scene) -> Lost:
    if scene.emptied:
        detail = f"the refiner left nothing of what the segmenter found for {list(scene.prompts)}"
        return Lost(scene.key, "no_detect", "refined away", detail)
    if scene.detections:
        boxes = [one.box for one in scene.detections]
        return Lost(scene.key, "no_detect", "empty mask", f"the segmenter found no object in {boxes}")
    kind, who = ("no mask", "segmenter") if scene.detections is None else ("no box", "detector")
    return Lost(scene.key, "no_detect", kind, f"the {who} found nothing for {list(scene.prompts)}")
