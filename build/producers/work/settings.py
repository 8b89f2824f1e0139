"""Which backends a run uses: plain values that travel to worker processes, where the backends are built."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from types import MappingProxyType

import PIL

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.format.encoding import Encoding
from producers.backends import Backends, Detector, Infiller, Segmenter
from producers.infill.inpaint import OpenCVInpaint
from producers.segment.grabcut import GrabCut

SEGMENTERS: Mapping[str, Callable[[], Segmenter]] = MappingProxyType({"grabcut": GrabCut})
INFILLERS: Mapping[str, Callable[[], Infiller]] = MappingProxyType({"opencv": OpenCVInpaint})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that decides what a run makes of an image.

    Attributes:
        detector: the boxes; itself a plain value so far.
        segmenter: a name in `SEGMENTERS`.
        infiller: a name in `INFILLERS`.
        encoding: of the patches.
    """

    detector: Detector
    segmenter: str = "grabcut"
    infiller: str = "opencv"
    encoding: Encoding

    def __post_init__(self) -> None:
        for name, known in (("segmenter", SEGMENTERS), ("infiller", INFILLERS)):
            value = getattr(self, name)
            if value not in known:
                raise ConfigurationError(explain(f"unknown {name}", found=repr(value), allowed=sorted(known)))

    def backends(self) -> Backends:
        """The backends, built.

        Raises:
            MissingDependencyError: a package that one of them needs is not installed.
        """
        return Backends(
            detector=self.detector, segmenter=SEGMENTERS[self.segmenter](), infiller=INFILLERS[self.infiller]()
        )

    def producer(self) -> dict[str, object]:
        """What the manifest says about how the patches were made."""
        versions = {
            "fornet-hf": version_of("fornet-hf"),
            "pillow": PIL.__version__,
            "python": platform.python_version(),
        }
        return {"tool": "create_patches", **self.backends().to_json(), "versions": versions}


def version_of(package: str) -> str:
    """Of an installed package."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
