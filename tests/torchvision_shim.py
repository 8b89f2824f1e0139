"""torchvision where its compiled part cannot be loaded (a wheel for another device): transforms work without it."""

from __future__ import annotations

import importlib
from types import ModuleType


def load() -> ModuleType | None:
    """torchvision, or None where it is not installed."""
    try:
        return importlib.import_module("torchvision")
    except ImportError:
        return None
    except RuntimeError:  # operator torchvision::nms does not exist
        import torch

        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float threshold) -> Tensor")
        return importlib.import_module("torchvision")
