"""Everything that decides what a run makes of an image: plain values that travel to its processes.

Models are loaded there, from what the settings say.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from importlib import metadata

import PIL

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.format.encoding import Encoding
from producers.detect.prompts import Prompts
from producers.devices.placement import ON, Placement
from producers.registry import Choice, Composed, find, models
from producers.scene import Detector
from producers.segment.versions import Merging
from producers.step import Backends, Infill, Merge, Step, check_chain, in_order

PACKAGES = (
    "fornet-hf", "pillow", "numpy", "opencv-python-headless", "torch", "transformers", "diffusers",
    "segment-anything", "simple-lama-inpainting",
)  # fmt: skip

_COMMIT = re.compile("[0-9a-f]{40}")


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """Settings of a run on GPUs.

    Attributes:
        detector: finds boxes; None where the segmenter needs none.
        segmenter: finds masks.
        infiller: fills holes; None where the segmenter does it.
        refiner: makes masks exact, before holes are filled; None: nobody does.
        precision: of the models' matrix products.
        encoding: of the patches.
        threshold: confidence from which the detector counts a box, 0 to 1; None: its own default.
        text_threshold: confidence which a word of the prompt needs in it, 0 to 1; None: its own default.
        prompts: what to look for.
        merging: how the masks of several prompts become versions.
        batch_size: images that a model gets at a time; None: each has its own default.
            It changes nothing but the speed.
        speedups: ways to be faster that the models use, as `Placement` has them.
    """

    detector: Choice | None
    segmenter: Choice
    infiller: Choice | None
    refiner: Choice | None = None
    precision: str = "float32"
    encoding: Encoding
    threshold: float | None = None
    text_threshold: float | None = None
    prompts: Prompts = field(default_factory=Prompts)
    merging: Merging = field(default_factory=Merging)
    batch_size: int | None = None
    speedups: frozenset[str] = ON

    def __post_init__(self) -> None:
        found = {role: find(role, choice.name) for role, choice in self.choices().items()}
        for role, choice in self.choices().items():
            found[role].check(choice)
        steps = {role: model.step for role, model in found.items()}
        detect, refine, infill = map(steps.get, ("detector", "refiner", "infiller"))
        check_chain(in_order(detect, steps["segmenter"], Merge, refine, infill))
        if self.refiner is not None:
            self._check_refiner(self.refiner, infill)
        Placement(precision=self.precision, speedups=self.speedups)  # refuses unknown ones
        for name, value in self._thresholds().items():
            option = f"--{name.replace('_', '-')}"
            if self.detector is None or name not in found["detector"].takes:
                what = "there is no detector"
                if self.detector is not None:
                    words = " of single words" if "threshold" in found["detector"].takes else ""
                    what = f"the detector {self.detector.name} has no scores{words}"
                raise ConfigurationError(explain(what, found=option, then=f"Leave {option} out."))
            if not 0 <= value <= 1:
                raise ConfigurationError(explain(option, found=value, allowed="0 to 1"))

    def _check_refiner(self, refiner: Choice, infill: type[Step] | None) -> None:
        if infill is None:
            what = f"the refiner {refiner.name} would change masks that the segmenter has infilled already"
            raise ConfigurationError(explain(what, found=str(self.segmenter), then="Leave --refine out."))
        if infill is not Infill and isinstance(find("refiner", refiner.name), Composed) and not refiner.model:
            what = f"the refiner {refiner.name} needs an infiller that is no step by itself"
            then = f"Name one: --refine {refiner.name}=INFILLER"
            raise ConfigurationError(explain(what, found=str(self.infiller), then=then))

    def choices(self) -> dict[str, Choice]:
        """Return the models by their roles."""
        given = {role: getattr(self, role) for role in ("detector", "segmenter", "infiller", "refiner")}
        return {role: choice for role, choice in given.items() if choice is not None}

    def as_begun(self, noted: Mapping[str, Mapping[str, object]]) -> ModelSettings:
        """Return the same with the commits that a run began with, where none is asked for: branches of the Hub move.

        Args:
            noted: by `note_models`; empty: nothing yet.
        """
        changes = {}
        for role, choice in self.choices().items():
            revision = str(noted.get(role, {}).get("revision"))
            if _COMMIT.fullmatch(revision):
                changes[role] = find(role, choice.name).pinned(choice, revision)
        return replace(self, **changes)  # type: ignore[arg-type]

    def check_files(self) -> None:
        """Read what is read without loading models, so that a wrong name is known before a run notes it for ever.

        Raises:
            ConfigurationError: the file of boxes does not hold boxes.
            NotFoundError: a file is missing.
        """
        for role, choice in self.choices().items():
            find(role, choice.name).check_file(choice)

    def backends(self, device: str) -> Backends:
        """Load the models onto a device.

        Raises:
            MissingDependencyError: a package that one of them needs is not installed.
            NotFoundError: weights are missing.
            ConfigurationError: there is no such device or precision, or a function returns no model.
        """
        options = {"batch_size": self.batch_size, **self._thresholds()}
        placement = partial(Placement, device, self.precision, self.speedups)
        loaded = {
            role: find(role, choice.name).load(choice, placement, options) for role, choice in self.choices().items()
        }
        return Backends(**{"detector": None, "infiller": None, **loaded})

    def producer(self) -> dict[str, object]:
        """Return what is asked for, with versions; what was found (digests, say) is known once models are loaded."""
        return {
            "tool": "segment",
            **{role: str(choice) for role, choice in self.choices().items()},
            **noted_settings(self.choices()),
            **self._licences(),
            "precision": self.precision,
            **self._thresholds(),
            "prompts": self.prompts.to_json(),
            "merging": asdict(self.merging),
            "versions": {name: version_of(name) for name in PACKAGES},
        }

    def _licences(self) -> dict[str, object]:
        """Return the licences of the weights by role, where they are known."""
        known = {role: find(role, choice.name).licence_of(choice) for role, choice in self.choices().items()}
        found = {role: licence for role, licence in known.items() if licence}
        return {"licences": found} if found else {}

    def _thresholds(self) -> dict[str, float]:
        """Return those that are asked for, as keywords."""
        values = {"threshold": self.threshold, "text_threshold": self.text_threshold}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a run without GPUs.

    Attributes:
        detector: the boxes; itself a plain value so far.
        segmenter: a model in `light("segmenter")`.
        infiller: a model in `light("infiller")`.
        encoding: of the patches.
    """

    detector: Detector
    segmenter: Choice = Choice("grabcut")  # noqa: RUF009  # it is frozen
    infiller: Choice = Choice("opencv")  # noqa: RUF009
    encoding: Encoding

    def __post_init__(self) -> None:
        for role, choice in self._choices().items():
            if choice.name not in (allowed := light(role)):
                raise ConfigurationError(explain(f"unknown {role}", found=repr(choice.name), allowed=allowed))
            find(role, choice.name).check(choice)

    def backends(self) -> Backends:
        """Build the models.

        Raises:
            MissingDependencyError: a package that one of them needs is not installed.
        """
        made = {role: find(role, choice.name).load(choice) for role, choice in self._choices().items()}
        return Backends(detector=self.detector, **made)

    def producer(self) -> dict[str, object]:
        """Return what the manifest says about how the patches were made."""
        versions = {
            "fornet-hf": version_of("fornet-hf"),
            "pillow": PIL.__version__,
            "python": platform.python_version(),
        }
        return {"tool": "create_patches", **self.backends().to_json(), "versions": versions}

    def _choices(self) -> dict[str, Choice]:
        return {"segmenter": self.segmenter, "infiller": self.infiller}


def noted_settings(choices: Mapping[str, Choice]) -> dict[str, object]:
    """Return what a run notes about the settings of its models, by role: those that differ from the defaults."""
    noted = {role: find(role, choice.name).changed_settings(choice) for role, choice in choices.items()}
    given = {role: values for role, values in noted.items() if values}
    return {"settings": given} if given else {}


def light(role: str) -> list[str]:
    """Return the names of the models that need no weights."""
    return sorted(model.name for model in models(role) if model.light)


def version_of(package: str) -> str:
    """Return the version of an installed package."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
