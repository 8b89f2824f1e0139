"""Builder of the dataset, and the facade of the library for its script `ForNet.py`, which names nothing else.

Script and library may be of different versions. Whoever changes what a name of the facade takes or gives, or takes
one away, counts `CONTRACT` up, here and in the script. Names are imported when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fornet_hf.builder.configuration import ForNetConfig, recombined
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

__all__ = [
    "CONTRACT",
    "ForNetConfig",
    "begin",
    "described",
    "empty_folder",
    "examples",
    "guarded",
    "own_errors",
    "recombined",
    "split_generators",
    "workers",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'fornet_hf.builder' has no attribute {name!r}")
    home = "configuration" if name in ("ForNetConfig", "recombined") else "preparation"
    return getattr(importlib.import_module(f"fornet_hf.builder.{home}"), name)
