"""OpenCV, which only the stages that need it import."""

from __future__ import annotations

import contextlib
from types import ModuleType

from fornet_hf.errors import MissingDependencyError


def load_cv2() -> ModuleType:
    """Return the module `cv2`.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import cv2  # heavy, and only some stages need it
    except ImportError as error:
        raise MissingDependencyError(
            f"this stage needs OpenCV ({error}). Install it: pip install opencv-python-headless"
        ) from error
    module: ModuleType = cv2
    return module


def one_thread() -> None:
    """Keep OpenCV to one thread in a process: where processes work in parallel, its threads only take turns."""
    with contextlib.suppress(MissingDependencyError):
        load_cv2().setNumThreads(1)
