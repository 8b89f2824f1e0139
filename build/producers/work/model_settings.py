"""Everything that decides what a run on GPUs makes of an image; a plain value that travels to its processes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.format.encoding import Encoding
from producers.backends import Backends, Detector, Infiller, Segmenter
from producers.choices import DETECTORS, INFILLERS, SEGMENTERS, WITHOUT_SCORES, Choice, check
from producers.detect.prompts import Prompts
from producers.tasks.versions import Merging
from producers.work.settings import version_of

if TYPE_CHECKING:
    from producers.devices.placement import Placement

PACKAGES = (
    "fornet-hf", "pillow", "numpy", "opencv-python-headless", "torch", "transformers", "diffusers",
    "segment-anything", "simple-lama-inpainting",
)  # fmt: skip

PRECISIONS = ("float32", "bfloat16", "float16")
"""Names of those in `placement`, which needs torch."""

SAM_SIZES = ("vit_b", "vit_l", "vit_h")
"""Likewise, of those in `sam`."""

_COMMIT = re.compile("[0-9a-f]{40}")
_IN_FILES = frozenset({"sam", "lama"})  # the model that is given is a path, and cannot be an id on the Hub


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """See the module.

    Attributes:
        detector: a name in `DETECTORS`, with model and revision.
        segmenter: a name in `SEGMENTERS`, likewise.
        infiller: a name in `INFILLERS`, likewise.
        precision: of the models' matrix products.
        encoding: of the patches.
        threshold: confidence from which the detector counts a box, 0 to 1; None: its own default.
        text_threshold: confidence which a word of the prompt needs in it, 0 to 1; None: its own default.
        prompts: what to look for.
        merging: how the masks of several prompts become versions.
        batch_size: images that a model gets at a time; None: each has its own default.
            It changes nothing but the speed.
    """

    detector: Choice
    segmenter: Choice
    infiller: Choice
    precision: str = "float32"
    encoding: Encoding
    threshold: float | None = None
    text_threshold: float | None = None
    prompts: Prompts = field(default_factory=Prompts)
    merging: Merging = field(default_factory=Merging)
    batch_size: int | None = None

    def __post_init__(self) -> None:
        check(self.detector, "detector", DETECTORS)
        check(self.segmenter, "segmenter", SEGMENTERS)
        check(self.infiller, "infiller", INFILLERS)
        _one_of(PRECISIONS, "unknown precision", self.precision)
        if self.segmenter.name == "sam" and self.segmenter.revision:
            _one_of(SAM_SIZES, "unknown size of SAM", self.segmenter.revision)
        for name, value in self._thresholds().items():
            option = f"--{name.replace('_', '-')}"
            if self.detector.name in WITHOUT_SCORES:
                what = f"the detector {self.detector.name} has no scores"
                raise ConfigurationError(explain(what, found=option, then=f"Leave {option} out."))
            if not 0 <= value <= 1:
                raise ConfigurationError(explain(option, found=value, allowed="0 to 1"))

    def as_begun(self, models: Mapping[str, Mapping[str, object]]) -> ModelSettings:
        """The same with the commits that a run began with, where none is asked for: branches of the Hub move.

        Args:
            models: what `note_models` has noted; empty: nothing yet.
        """
        changes = {}
        for role in ("detector", "segmenter", "infiller"):
            choice, revision = getattr(self, role), str(models.get(role, {}).get("revision"))
            if choice.revision is None and _COMMIT.fullmatch(revision):
                changes[role] = replace(choice, revision=revision)
        return replace(self, **changes)

    def check_files(self) -> None:
        """Read what is read without loading models, so that a wrong name is known before a run notes it for ever.

        Raises:
            ConfigurationError: boxes are asked for without a file, or it does not hold boxes.
            NotFoundError: a file is missing.
        """
        if self.detector.name == "boxes":
            DETECTORS["boxes"](self.detector, _nowhere, {})
        for one in (self.segmenter, self.infiller):
            if one.name in _IN_FILES and one.model and not Path(one.model).is_file():
                raise NotFoundError(explain(f"the weights of {one.name} are missing", found=f"no file {one.model}"))

    def backends(self, device: str) -> Backends:
        """The models, loaded onto a device.

        Raises:
            MissingDependencyError: a package that one of them needs is not installed.
            NotFoundError: weights are missing.
            ConfigurationError: there is no such device or precision.
        """

        @cache
        def placement() -> Placement:  # not made for methods that do without torch
            from producers.devices.placement import Placement

            return Placement(device, self.precision)

        options = {"batch_size": self.batch_size} if self.batch_size else {}
        detector_options = {**options, **self._thresholds()}
        return Backends(
            detector=cast("Detector", DETECTORS[self.detector.name](self.detector, placement, detector_options)),
            segmenter=cast("Segmenter", SEGMENTERS[self.segmenter.name](self.segmenter, placement, options)),
            infiller=cast("Infiller", INFILLERS[self.infiller.name](self.infiller, placement, options)),
        )

    def producer(self) -> dict[str, object]:
        """What is asked for, with versions; what was found (revisions, digests) is known once models are loaded."""
        return {
            "tool": "segment",
            "detector": str(self.detector),
            "segmenter": str(self.segmenter),
            "infiller": str(self.infiller),
            "precision": self.precision,
            **self._thresholds(),
            "prompts": self.prompts.to_json(),
            "merging": asdict(self.merging),
            "versions": {name: version_of(name) for name in PACKAGES},
        }

    def _thresholds(self) -> dict[str, float]:
        """Those that are asked for, as keywords."""
        values = {"threshold": self.threshold, "text_threshold": self.text_threshold}
        return {name: value for name, value in values.items() if value is not None}


def _one_of(known: Sequence[str], what: str, value: str) -> None:
    if value not in known:
        raise ConfigurationError(explain(what, found=repr(value), allowed=sorted(known)))


def _nowhere() -> NoReturn:
    raise RuntimeError("boxes are not on any device")
