"""The models: one registration each, whose target is imported by the process that runs it.

A model of another package is named by its `package.module:function`, or by an entry point of that package in the
group `fornet.detectors`, `fornet.segmenters`, `fornet.refiners` or `fornet.infillers`. Nothing is registered at run
time, so every process that is told a name finds the same model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.packages import needing, resolve
from producers.devices.placement import Placement
from producers.fields import changed, read_settings
from producers.plugins import OPTIONS, check_model, signature_of
from producers.step import Detect, Infill, ModelStep, Refine, Segment, SegmentByPrompts, Step


@dataclass(frozen=True)
class Choice:
    """One model, as written on the command line: `sam-hf=facebook/sam-vit-base@REVISION`.

    Attributes:
        name: of a registration or an entry point, or `package.module:function`.
        model: id of its weights on the Hub, or a path; None for the published ones.
        revision: commit, branch or tag of the weights on the Hub; for `lama` the MD5 of the file, for `sam` its size.
        settings: names and values, as text; not a part of what is written as the choice.
    """

    name: str
    model: str | None = None
    revision: str | None = None
    settings: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Choice:
        """Return the choice from `NAME`, `NAME=MODEL`, `NAME@REVISION` or `NAME=MODEL@REVISION`."""
        rest, _, revision = text.partition("@")
        name, _, model = rest.partition("=")
        return cls(name, model or None, revision or None)

    def inner(self, role: str) -> Choice | None:
        """Return the model of this role that is given in place of weights: `lama` of `inpaint-difference=lama`."""
        if not role or self.model is None:
            return None
        start = f"{role}."
        settings = tuple((name.removeprefix(start), text) for name, text in self.settings if name.startswith(start))
        return replace(Choice.parse(self.model), revision=self.revision, settings=settings)

    def __str__(self) -> str:
        return self.name + (f"={self.model}" if self.model else "") + (f"@{self.revision}" if self.revision else "")


@dataclass(frozen=True, kw_only=True)
class Model:
    """One registration.

    Attributes:
        name: on the command line.
        role: a name in `ADAPTERS`.
        target: `package.module:function`, which returns the model.
        takes: keywords of that function, of those in `OPTIONS`.
        packages: to install by pip, beside the project's own dependencies.
        weights: `model`, where none is given.
        revision: likewise of the weights.
        revisions: all there are; empty: any.
        hint: for the help, in place of `weights`.
        file: whether `model` is a file, not an id on the Hub.
        reads: `package.module:function` that looks at that file, a `Path`, before anything is loaded; empty: nothing.
        needs_model: whether it has no weights of its own.
        light: whether it loads at once, because it has no weights.
        inner: role of a model that is given as `model`, in place of weights; the function gets it, loaded, as keyword
            of this name.
        settings: `package.module:class` of its settings, a dataclass that is imported without its packages; the
            function takes one as keyword `settings`. Where this is the target, the model is its own settings.
        step: what it is in a chain, or derived from that; says what it needs and gives without being loaded.
    """

    name: str
    role: str
    target: str
    takes: frozenset[str] = frozenset()
    packages: str = ""
    weights: str | None = None
    revision: str | None = None
    revisions: tuple[str, ...] = ()
    hint: str = ""
    file: bool = False
    reads: str = ""
    needs_model: bool = False
    light: bool = False
    inner: str = ""
    settings: str = ""
    step: type[Step]

    def __str__(self) -> str:
        hint, kind = self.hint or self.weights, "FILE" if self.file else "MODEL"
        return self.name + (f"={kind}" if self.needs_model else "") + (f" ({hint})" if hint else "")

    def check(self, choice: Choice) -> None:
        """Raise a ConfigurationError if it does not take the model, the revision or the settings that were given."""
        name = f"the {self.role} {self.name}"
        for option in ("model", "revision"):
            if getattr(choice, option) and option not in self.takes:
                allowed = str(Choice(choice.name, choice.model if "model" in self.takes else None))
                raise ConfigurationError(explain(f"{name} takes no {option}", found=str(choice), allowed=allowed))
        if self.needs_model and not choice.model:
            kind = "file" if self.file else "model"
            allowed = f"--{self.role} {self.name}={kind.upper()}"
            raise ConfigurationError(explain(f"{name} needs a {kind}", allowed=allowed))
        if self.revisions and choice.revision and choice.revision not in self.revisions:
            what, allowed = f"unknown revision of {name}", ", ".join(self.revisions)
            raise ConfigurationError(explain(what, found=repr(choice.revision), allowed=allowed))
        self.settings_of(choice)
        if self.inner:
            self._check_inner(choice)

    def _check_inner(self, choice: Choice) -> None:
        inner = choice.inner(self.inner)
        if inner is not None:
            registration = find(self.inner, inner.name)
            registration.check(inner)
            if issubclass(registration.step, ModelStep):
                what = f"the {self.role} {self.name} needs a plain {self.inner}"
                raise ConfigurationError(explain(what, found=f"{inner}, which is a step by itself"))
        elif choice.revision:
            what = f"the {self.role} {self.name} has no {self.inner} whose revision this is"
            raise ConfigurationError(explain(what, found=str(choice), allowed=f"{self.name}=MODEL@REVISION"))

    def settings_of(self, choice: Choice) -> Any:
        """Return the settings that were given, with defaults for the rest; None where none were.

        Raises:
            ConfigurationError: it has no such settings, or does not take these values.
        """
        given = [one for one in choice.settings if not (self.inner and one[0].startswith(f"{self.inner}."))]
        if not given:
            return None
        name = f"the {self.role} {self.name}"
        if not self.settings:
            found = ", ".join(name for name, _ in given)
            raise ConfigurationError(explain(f"{name} has no settings", found=found, then="Leave --set out."))
        kind: Any = resolve(self.settings, f"the settings of {name} cannot be loaded")
        return read_settings(kind, given, name)

    def changed_settings(self, choice: Choice) -> dict[str, Any]:
        """Return the settings that were given and differ from the defaults, by their names on the command line."""
        found = changed(self.settings_of(choice))
        if inner := choice.inner(self.inner):
            more = find(self.inner, inner.name).changed_settings(inner)
            found |= {f"{self.inner}.{name}": value for name, value in more.items()}
        return found

    def check_file(self, choice: Choice) -> None:
        """Read what is read without loading weights.

        Raises:
            ConfigurationError: the file does not hold boxes, or is not of the model.
            NotFoundError: a file is missing.
        """
        if self.inner:
            if inner := choice.inner(self.inner):
                find(self.inner, inner.name).check_file(inner)
        elif self.light:
            self.load(choice)
        elif self.file and choice.model and not Path(choice.model).is_file():
            what = f"the weights of {self.name} are missing"
            raise NotFoundError(explain(what, found=f"no file {choice.model}"))
        elif self.reads and choice.model:
            with needing(f"the {self.role} {self.name}", self.packages):
                resolve(self.reads, f"the {self.role} {self.name} cannot be read")(Path(choice.model))

    def load(
        self,
        choice: Choice,
        device: str = "cpu",
        precision: str = "float32",
        options: Mapping[str, float | None] = MappingProxyType({}),
    ) -> Any:
        """Return the model, loaded.

        Args:
            choice: says which weights.
            device: as torch names it.
            precision: of matrix products.
            options: size of batches and thresholds; None: the model's own.

        Raises:
            MissingDependencyError: a package that it needs is not installed.
            NotFoundError: weights are missing.
            ConfigurationError: there is no such device, or the function returns something else.
        """
        revision = choice.revision or (None if choice.model and not self.file else self.revision)
        settings = self.settings_of(choice)
        given: dict[str, Any] = {**options, "model": choice.model or self.weights, "revision": revision}
        if self.inner:
            inner = choice.inner(self.inner)
            given.update(model=None, revision=None)
            given[self.inner] = inner and find(self.inner, inner.name).load(inner, device, precision, options)
        with needing(f"the {self.role} {self.name}", self.packages):
            if "placement" in self.takes:
                given["placement"] = Placement(device, precision)
            function = resolve(self.target, f"the {self.role} {self.name} cannot be loaded")
            takes = {*self.takes, self.inner}
            keywords = {name: given[name] for name in given if name in takes and given[name] is not None}
            if settings is None:
                model = function(**keywords)
            elif self.settings == self.target:
                model = settings
            else:
                model = function(**keywords, settings=settings)
        check_model(self.role, self.name, model)
        return model


_WEIGHTS = frozenset({"placement", "model", "revision", "batch_size"})
_detector = partial(Model, role="detector", step=Detect)
_segmenter = partial(Model, role="segmenter", step=Segment)
_refiner = partial(Model, role="refiner", step=Refine)
_infiller = partial(Model, role="infiller", step=Infill)

MODELS = (
    _detector(
        name="grounding-dino",
        target="producers.detect.grounding_dino:GroundingDino.load",
        takes=OPTIONS,
        packages="torch transformers",
        weights="IDEA-Research/grounding-dino-tiny",
    ),
    _detector(
        name="boxes",
        target="producers.detect.boxes:read_boxes",
        takes=frozenset({"model"}),
        file=True,
        needs_model=True,
        light=True,
    ),
    _detector(name="centred", target="producers.detect.boxes:CentredBox", light=True),
    _segmenter(
        name="sam",
        target="producers.segment.sam:load",
        takes=_WEIGHTS,
        packages="torch torchvision segment-anything",
        revision="vit_b",
        revisions=("vit_b", "vit_l", "vit_h"),
        hint="of segment-anything; =WEIGHTS.pth, @vit_h",
        file=True,
    ),
    _segmenter(
        name="sam-hf",
        target="producers.segment.sam:load_from_hub",
        takes=_WEIGHTS,
        packages="torch transformers",
        weights="facebook/sam-vit-base",
    ),
    _segmenter(
        name="grabcut",
        target="producers.segment.grabcut:GrabCut",
        settings="producers.segment.grabcut:GrabCut",
        light=True,
    ),
    _segmenter(
        name="cross-attention",
        target="producers.segment.cross_attention:CrossAttention.load",
        takes=_WEIGHTS,
        packages="torch 'diffusers>=0.40' transformers",
        weights="CompVis/stable-diffusion-v1-4",
        settings="producers.segment.attention_settings:AttentionSettings",
        step=SegmentByPrompts,  # type: ignore[type-abstract]
    ),
    _segmenter(
        name="unet",
        target="producers.segment.unet:load",
        takes=_WEIGHTS - {"revision"},
        packages="torch safetensors opencv-python-headless",
        file=True,
        needs_model=True,
        hint="of train_segmenter.py",
        reads="producers.segment.networks.files:read_card",
        settings="producers.segment.unet_settings:UNetSettings",
        step=SegmentByPrompts,  # type: ignore[type-abstract]
    ),
    _refiner(
        name="inpaint-difference",
        target="producers.refine.inpaint_difference:load",
        takes=frozenset({"model", "revision"}),
        packages="opencv-python-headless",
        hint="=INFILLER, else by that of the run",
        inner="infiller",
        settings="producers.refine.inpaint_difference:DifferenceSettings",
        light=True,
    ),
    _infiller(
        name="lama",
        target="producers.infill.lama:load",
        takes=_WEIGHTS,
        packages="torch opencv-python-headless && pip install --no-deps simple-lama-inpainting==0.1.2",
        revision="e3aa4aaa15225a33ec84f9f4bc47e500",
        hint="=WEIGHTS.pt, else by LAMA_MODEL, else fetched; @MD5 of others than big-lama",
        file=True,
    ),
    _infiller(
        name="opencv",
        target="producers.infill.inpaint:OpenCVInpaint",
        settings="producers.infill.inpaint:OpenCVInpaint",
        light=True,
    ),
    _infiller(
        name="attentive-eraser",
        target="producers.infill.attentive_eraser:AttentiveEraser.load",
        takes=_WEIGHTS,
        packages="torch 'diffusers>=0.40' transformers accelerate",
        weights="stabilityai/stable-diffusion-xl-base-1.0",
        settings="producers.infill.eraser_settings:EraserSettings",
    ),
    _infiller(
        name="background-diffusion",
        target="producers.infill.background_diffusion:load_background_diffusion",
        takes=_WEIGHTS,
        packages="torch 'diffusers>=0.40' transformers accelerate",
        needs_model=True,
        hint="of finetune_background.py",
        settings="producers.infill.background_settings:BackgroundSettings",
    ),
)


def models(role: str) -> list[Model]:
    """Return the registrations of a role."""
    return [model for model in MODELS if model.role == role]


def find(role: str, name: str) -> Model:
    """Return the registration of a name; that of another package is made from the function which it names.

    Raises:
        ConfigurationError: there is no model of this name, or what it names cannot be one.
        MissingDependencyError: its package needs another one that is not installed.
    """
    known = {model.name: model for model in models(role)}
    if name in known:
        return known[name]
    points = {point.name: point for point in metadata.entry_points(group=f"fornet.{role}s")}
    target = f"{points[name].module}:{points[name].attr}" if name in points else name
    if ":" not in target:
        allowed = f"{', '.join(sorted({*known, *points}))}, or PACKAGE.MODULE:FUNCTION"
        raise ConfigurationError(explain(f"unknown {role}", found=repr(name), allowed=allowed))
    with needing(f"the {role} {name}"):
        function = resolve(target, f"the {role} {name} cannot be loaded")
    return Model(name=name, role=role, target=target, **vars(signature_of(role, name, function)))
