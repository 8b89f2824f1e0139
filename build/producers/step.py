"""The chain of steps for scenes: detect, segment, merge, refine, infill; a model may do several of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from types import MappingProxyType
from typing import TypeVar

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.format.masks import Mask
from producers.devices.opencv import dilated
from producers.model_step import ModelStep, SegmentByPrompts, Step
from producers.scene import Cut, Detector, Infiller, Refiner, Scene, Segmenter
from producers.segment.versions import Merging, merged, versions

__all__ = [
    "ADAPTERS", "GIVEN", "WANTED", "Backends", "Detect", "Infill", "Merge", "ModelStep", "Refine", "Segment",
    "SegmentByPrompts", "Step", "check_chain", "in_order",
]  # fmt: skip

GIVEN = frozenset({"key", "raster", "prompts"})
"""The fields of a scene that no step has to give."""

WANTED = frozenset({"versions", "infilled"})
"""The fields of a scene that candidates are made of."""


@dataclass(frozen=True)
class Detect(Step):
    """Finds boxes by a detector."""

    model: Detector
    stage, needs, gives = "detect", frozenset({"prompts"}), frozenset({"detections"})

    def __call__(self, scenes: Sequence[Scene]) -> list[Scene]:
        """Return the scenes with their boxes."""
        found = self.model.detect(scenes)
        return [replace(scene, detections=tuple(boxes)) for scene, boxes in zip(scenes, found, strict=True)]

    @property
    def worker(self) -> object:
        """The detector."""
        return self.model


@dataclass(frozen=True)
class Segment(Step):
    """Finds masks in boxes by a segmenter."""

    model: Segmenter
    stage, needs, gives = "segment", frozenset({"detections"}), frozenset({"masks"})

    def __call__(self, scenes: Sequence[Scene]) -> list[Scene]:
        """Return the scenes with a mask for each of their boxes; the segmenter sees those that have some."""
        boxes = [[one.box for one in scene.detections or ()] for scene in scenes]
        asked = [index for index, found in enumerate(boxes) if found]
        rasters = [scenes[index].raster for index in asked]
        masks = self.model.segment(rasters, [boxes[index] for index in asked]) if asked else []
        found = dict(zip(asked, masks, strict=True))
        return [replace(scene, masks=_cuts(scene, found.get(index, ()))) for index, scene in enumerate(scenes)]

    def items(self, scene: Scene) -> int:
        """Return 1 if there are boxes."""
        return int(bool(scene.detections))

    @property
    def worker(self) -> object:
        """The segmenter."""
        return self.model


def _cuts(scene: Scene, masks: Sequence[Mask]) -> tuple[Cut, ...]:
    detections = scene.detections or ()
    return tuple(Cut(mask, one.prompt, one.score) for one, mask in zip(detections, masks, strict=True))


@dataclass(frozen=True)
class Merge(Step):
    """Unites the masks of the same object."""

    merging: Merging | None = None
    stage, needs, gives = "segment", frozenset({"masks"}), frozenset({"versions"})

    def __call__(self, scenes: Sequence[Scene]) -> list[Scene]:
        """Return the scenes with the distinct objects in them."""
        return [replace(scene, versions=tuple(versions(scene.masks or (), self.merging))) for scene in scenes]

    def items(self, scene: Scene) -> int:  # noqa: ARG002
        """Return 0: it has no batches."""
        return 0


@dataclass(frozen=True)
class Refine(Step):
    """Makes the versions exact by a refiner; drops those of which it leaves nothing, unites those it makes alike."""

    model: Refiner
    infiller: Infiller | None = None
    merging: Merging | None = None
    stage, needs, gives = "refine", frozenset({"versions"}), frozenset({"versions"})

    def __call__(self, scenes: Sequence[Scene]) -> list[Scene]:
        """Return the scenes with better masks of the objects in them."""
        cuts = [(scene.raster, cut.mask) for scene in scenes for cut in scene.versions or ()]
        rasters, rough = [raster for raster, _ in cuts], [mask for _, mask in cuts]
        masks = iter(self.model.refine(rasters, rough, self.infiller) if cuts else ())
        return [self._with(scene, list(islice(masks, len(scene.versions or ())))) for scene in scenes]

    def items(self, scene: Scene) -> int:
        """Return the number of versions."""
        return len(scene.versions or ())

    @property
    def worker(self) -> object:
        """The refiner, or the infiller that it works by."""
        own = getattr(self.model, "infiller", None) or self.infiller
        return self.model if own is None or hasattr(self.model, "batch_size") else own

    def _with(self, scene: Scene, masks: Sequence[Mask]) -> Scene:
        cuts = [replace(cut, mask=mask) for cut, mask in zip(scene.versions or (), masks, strict=True)]
        left = [cut for cut in cuts if cut.mask.any()]
        distinct = tuple(merged(left, (self.merging or Merging()).threshold))
        return replace(scene, versions=distinct, emptied=len(cuts) - len(left))


@dataclass(frozen=True)
class Infill(Step):
    """Replaces each version of the object, dilated by so many pixels, by an infiller."""

    model: Infiller
    dilation: int
    stage, needs, gives = "infill", frozenset({"versions"}), frozenset({"infilled"})

    def __call__(self, scenes: Sequence[Scene]) -> list[Scene]:
        """Return the scenes with a raster without the object for each version."""
        cuts = [(scene.raster, cut.mask) for scene in scenes for cut in scene.versions or ()]
        holes = [dilated(mask, self.dilation) for _, mask in cuts]
        infilled = iter(self.model.infill([raster for raster, _ in cuts], holes) if cuts else ())
        return [replace(scene, infilled=tuple(islice(infilled, len(scene.versions or ())))) for scene in scenes]

    def items(self, scene: Scene) -> int:
        """Return the number of versions."""
        return len(scene.versions or ())

    @property
    def worker(self) -> object:
        """The infiller."""
        return self.model


ADAPTERS: Mapping[str, type[Step]] = MappingProxyType(
    {"detector": Detect, "segmenter": Segment, "refiner": Refine, "infiller": Infill}
)
"""The roles of models, with the step that each becomes. Its stage is also the name of the model's method."""


@dataclass(frozen=True, kw_only=True)
class Backends:
    """The models of a chain, loaded; None where another one does its work."""

    detector: Detector | ModelStep | None
    segmenter: Segmenter | ModelStep
    infiller: Infiller | ModelStep | None
    refiner: Refiner | ModelStep | None = None

    def steps(self, dilation: int, merging: Merging | None = None) -> list[Step]:
        """Return the chain.

        Args:
            dilation: of the objects before they are infilled, pixels.
            merging: how the masks of several prompts become versions; by default as `versions` has it.
        """
        detect, segment, refine, infill = self.detector, self.segmenter, self.refiner, self.infiller
        own = None if isinstance(infill, ModelStep) else infill
        return in_order(
            detect if detect is None or isinstance(detect, ModelStep) else Detect(detect),
            segment if isinstance(segment, ModelStep) else Segment(segment),
            Merge(merging),
            refine if refine is None or isinstance(refine, ModelStep) else Refine(refine, own, merging),
            infill if infill is None or isinstance(infill, ModelStep) else Infill(infill, dilation),
        )

    def to_json(self) -> dict[str, object]:
        """Return the identities of the models as JSON object."""
        return {name: model.identity.to_json() for name, model in vars(self).items() if model is not None}


AnyStep = TypeVar("AnyStep", bound="Step | type[Step]")


def in_order(
    detect: AnyStep | None, segment: AnyStep, merge: AnyStep, refine: AnyStep | None, infill: AnyStep | None
) -> list[AnyStep]:
    """Return the chain; masks are merged unless the segmenter gives versions."""
    merged = None if "versions" in segment.gives else merge
    return [one for one in (detect, segment, merged, refine, infill) if one is not None]


def check_chain(steps: Sequence[Step | type[Step]]) -> None:
    """Raise a ConfigurationError if a step misses what it needs, or if nothing needs what it gives."""
    found, have = " -> ".join(step.stage for step in steps), GIVEN
    for step in steps:
        if missing := sorted(step.needs - have):
            what = f"the step {step.stage} needs {' and '.join(missing)}, which no step before it gives"
            raise ConfigurationError(explain(what, found=found))
        have |= step.gives
    if missing := sorted(WANTED - have):
        raise ConfigurationError(explain(f"no step gives {' and '.join(missing)}", found=found))
    wanted = WANTED
    for step in reversed(steps):
        if not step.gives & wanted:
            given = " and ".join(sorted(step.gives)) or "nothing"
            what = f"the step {step.stage} gives {given}, which no step after it needs"
            raise ConfigurationError(explain(what, found=found, then="Leave it out."))
        wanted |= step.needs
