"""Builder of the dataset, and the facade of the library for its script `ForNet.py`, which names nothing else.

Script and library may be of different versions. Whoever changes what a name of the facade takes or gives, or takes
one away, counts `CONTRACT` up, here and in the script. Names are imported when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fornet_hf.builder.about import CITATION, REPOSITORY
    from fornet_hf.builder.configuration import ForNetConfig, recombined
    from fornet_hf.builder.load import load_dataset
    from fornet_hf.builder.preparation import (
        begin,
        described,
        empty_folder,
        examples,
        guarded,
        own_errors,
        split_generators,
        workers,
    )

CONTRACT = 1

_HOMES = {
    "CITATION": "about",
    "REPOSITORY": "about",
    "ForNetConfig": "configuration",
    "begin": "preparation",
    "described": "preparation",
    "empty_folder": "preparation",
    "examples": "preparation",
    "guarded": "preparation",
    "load_dataset": "load",
    "own_errors": "preparation",
    "recombined": "configuration",
    "split_generators": "preparation",
    "workers": "preparation",
}

__all__ = [
    "CITATION",
    "CONTRACT",
    "REPOSITORY",
    "ForNetConfig",
    "begin",
    "described",
    "empty_folder",
    "examples",
    "guarded",
    "load_dataset",
    "own_errors",
    "recombined",
    "split_generators",
    "workers",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fornet_hf.builder' has no attribute {name!r}")
    return getattr(importlib.import_module(f"fornet_hf.builder.{_HOMES[name]}"), name)
