"""Makes `import torchvision` possible beside a torch build that its compiled operators do not fit.

The CPU-only test machine has such a pair. Transforms need none of the operators; with an ordinary installation this
does nothing but import torchvision.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

CODE = "from tests.torchvision_shim import import_torchvision; import_torchvision()\n"
"""For processes that run others' code."""
_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def import_torchvision() -> ModuleType:
    """The torchvision module, with `transforms` and `transforms.v2` imported."""
    try:
        torchvision = importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        _declare_operators()
        torchvision = importlib.import_module("torchvision")
    importlib.import_module("torchvision.transforms.v2")
    return torchvision


def _declare_operators() -> None:
    """Only after the real import has failed: a second definition of an operator raises."""
    library = importlib.import_module("torch.library")
    for schema in _SCHEMAS:
        library.define(f"torchvision::{schema.partition('(')[0]}", schema[schema.index("(") :])
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]  # what the failed import left half-made
