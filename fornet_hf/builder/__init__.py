"""Builder of the dataset, and the facade of the library for its script `ForNet.py`, which names nothing else.

Script and library may be of different versions. Whoever changes what a name of the facade takes or gives, or takes
one away, counts `CONTRACT` up, here and in the script. Names are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fornet_hf.packages import lazy

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

_HOMES = {name: "preparation" for name in __all__ if name != "CONTRACT"} | {
    "ForNetConfig": "configuration",
    "recombined": "configuration",
}
__getattr__, __dir__ = lazy(__name__, _HOMES)
