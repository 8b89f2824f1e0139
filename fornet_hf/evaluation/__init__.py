"""Measuring classifiers: their biases, and how sure each number is.

The names below are imported when they are first used.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "EvaluationConfig": "configuration",
    "Results": "results",
    "evaluate": "evaluating",
    "open_data": "data",
    **dict.fromkeys(
        (
            "accuracy",
            "background_robustness",
            "centre_bias",
            "challenge_accuracy",
            "foreground_focus",
            "imagenet9",
            "relative_foreground_sensitivity",
            "size_bias",
        ),
        "functions",
    ),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fornet_hf.evaluation' has no attribute {name!r}")
    return getattr(importlib.import_module(f"fornet_hf.evaluation.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
