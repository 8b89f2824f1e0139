"""Which models a run uses, as written on the command line: `sam-hf=facebook/sam-vit-base@REVISION`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fornet_hf.errors import ConfigurationError, MissingDependencyError, explain
from producers.backends import Detector, Infiller, Segmenter
from producers.detect.boxes import CentredBox, read_boxes
from producers.infill.inpaint import OpenCVInpaint
from producers.segment.grabcut import GrabCut

if TYPE_CHECKING:
    from producers.devices.placement import Placement


@dataclass(frozen=True)
class Choice:
    """One model.

    Attributes:
        name: of the method.
        model: id of its weights on the Hub, or a path; None for the published ones.
        revision: commit, branch or tag of the weights on the Hub; for `lama` the MD5 of the file, for `sam` its size.
    """

    name: str
    model: str | None = None
    revision: str | None = None

    @classmethod
    def parse(cls, text: str) -> Choice:
        """The choice from `NAME`, `NAME=MODEL`, `NAME@REVISION` or `NAME=MODEL@REVISION`."""
        rest, _, revision = text.partition("@")
        name, _, model = rest.partition("=")
        return cls(name, model or None, revision or None)

    def __str__(self) -> str:
        return self.name + (f"={self.model}" if self.model else "") + (f"@{self.revision}" if self.revision else "")

    def pinned(self) -> dict[str, Any]:
        """Model and revision as keywords, those which were given."""
        given = {"model": self.model, "revision": self.revision}
        return {name: value for name, value in given.items() if value}


Loader = Callable[[Choice, "Callable[[], Placement]", Mapping[str, Any]], object]
"""Loads a choice, where it is to be placed, with options such as the size of batches and a detector's thresholds."""


def _boxes(choice: Choice, *_: object) -> Detector:
    if choice.model is None:
        raise ConfigurationError(explain("the detector boxes needs a file", allowed="--detector boxes=FILE"))
    return read_boxes(Path(choice.model))


def _grounding_dino(choice: Choice, placement: Callable[[], Placement], options: Mapping[str, Any]) -> Detector:
    with needing("GroundingDINO", "torch transformers"):
        from producers.detect.grounding_dino import GroundingDino
    return GroundingDino.load(placement(), **choice.pinned(), **options)


def _sam(choice: Choice, placement: Callable[[], Placement], options: Mapping[str, Any]) -> Segmenter:
    with needing("SAM", "torch torchvision segment-anything"):
        from producers.segment import sam
    return sam.load(placement(), Path(choice.model) if choice.model else None, choice.revision or "vit_b", **options)


def _sam_hf(choice: Choice, placement: Callable[[], Placement], options: Mapping[str, Any]) -> Segmenter:
    with needing("SAM", "torch transformers"):
        from producers.segment import sam_hf
    return sam_hf.load(placement(), **choice.pinned(), **options)


def _lama(choice: Choice, placement: Callable[[], Placement], options: Mapping[str, Any]) -> Infiller:
    with needing("LaMa", "torch opencv-python-headless && pip install --no-deps simple-lama-inpainting==0.1.2"):
        from producers.infill import lama
    with _variable(lama.VARIABLE, choice.model):  # the only way to tell the package which file it shall load
        return lama.load(placement(), md5=choice.revision or lama.BIG_LAMA_MD5, **options)


def _attentive_eraser(choice: Choice, placement: Callable[[], Placement], options: Mapping[str, Any]) -> Infiller:
    with needing("Attentive Eraser", "torch 'diffusers>=0.40' transformers accelerate"):
        from producers.infill.attentive_eraser import AttentiveEraser
    return AttentiveEraser.load(placement(), **choice.pinned(), **options)


DETECTORS: Mapping[str, Loader] = MappingProxyType(
    {"grounding-dino": _grounding_dino, "boxes": _boxes, "centred": lambda *_: CentredBox()}
)
SEGMENTERS: Mapping[str, Loader] = MappingProxyType({"sam": _sam, "sam-hf": _sam_hf, "grabcut": lambda *_: GrabCut()})
INFILLERS: Mapping[str, Loader] = MappingProxyType(
    {"lama": _lama, "attentive-eraser": _attentive_eraser, "opencv": lambda *_: OpenCVInpaint()}
)


WITHOUT_SCORES = frozenset({"boxes", "centred"})
"""Detectors whose boxes are certain, so that thresholds mean nothing to them."""

_TAKES_NOTHING = frozenset({"centred", "grabcut", "opencv"})
_TAKES_NO_REVISION = _TAKES_NOTHING | {"boxes"}


def check(choice: Choice, what: str, known: Mapping[str, Loader]) -> None:
    """Raise a ConfigurationError if there is no method of this name, or it does not take what was given."""
    if choice.name not in known:
        raise ConfigurationError(
            explain(f"unknown {what}", found=repr(choice.name), allowed=", ".join(sorted(known)))
        )
    if choice.model and choice.name in _TAKES_NOTHING:
        raise ConfigurationError(
            explain(f"the {what} {choice.name} takes no model", found=str(choice), allowed=choice.name)
        )
    if choice.revision and choice.name in _TAKES_NO_REVISION:
        allowed = str(Choice(choice.name, choice.model))
        raise ConfigurationError(
            explain(f"the {what} {choice.name} takes no revision", found=str(choice), allowed=allowed)
        )


@contextlib.contextmanager
def _variable(name: str, value: str | None) -> Iterator[None]:
    """An environment variable that has this value for a while; None leaves it alone."""
    before = os.environ.get(name)
    if value is not None:
        os.environ[name] = value
    try:
        yield
    finally:
        if before is not None:
            os.environ[name] = before
        elif value is not None:
            del os.environ[name]


@contextlib.contextmanager
def needing(what: str, packages: str) -> Iterator[None]:
    """Turns a failed import into an error that says what to type."""
    try:
        yield
    except ImportError as error:
        raise MissingDependencyError(
            f"{what} cannot be used ({error}). Install it: pip install {packages}"
        ) from error
