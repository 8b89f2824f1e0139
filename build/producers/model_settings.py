"""Everything that decides what a run on GPUs makes of a picture; a plain value that travels to its processes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, cast

from fornet_hf.encoding import Encoding
from producers.backends import Backends, Detector, Infiller, Segmenter
from producers.choices import DETECTORS, INFILLERS, SEGMENTERS, Choice, check
from producers.settings import version_of

if TYPE_CHECKING:
    from producers.placement import Placement

PACKAGES = (
    "fornet-hf", "pillow", "numpy", "opencv-python-headless", "torch", "transformers", "diffusers",
    "segment-anything", "simple-lama-inpainting",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """See the module.

    Attributes:
        detector: a name in `DETECTORS`, with model and revision.
        segmenter: a name in `SEGMENTERS`, likewise.
        infiller: a name in `INFILLERS`, likewise.
        precision: of the models' matrix products.
        encoding: of the patches.
        batch_size: pictures that a model gets at a time; None: each has its own default.
            It changes nothing but the speed.
    """

    detector: Choice
    segmenter: Choice
    infiller: Choice
    precision: str = "float32"
    encoding: Encoding
    batch_size: int | None = None

    def __post_init__(self) -> None:
        check(self.detector, "detector", DETECTORS)
        check(self.segmenter, "segmenter", SEGMENTERS)
        check(self.infiller, "infiller", INFILLERS)

    def backends(self, device: str) -> Backends:
        """The models, loaded onto a device.

        Raises:
            MissingDependencyError: a package that one of them needs is not installed.
            NotFoundError: weights are missing.
            ConfigurationError: there is no such device or precision.
        """

        @cache
        def placement() -> Placement:  # not made for methods that do without torch
            from producers.placement import Placement

            return Placement(device, self.precision)

        options = {"batch_size": self.batch_size} if self.batch_size else {}
        return Backends(
            detector=cast("Detector", DETECTORS[self.detector.name](self.detector, placement, options)),
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
            "versions": {name: version_of(name) for name in PACKAGES},
        }
